// What all panels share: questions to the kernel, elements, a dialog that asks before anything is done.

/** An element with properties, attributes (data-*, aria-*, role) and children; texts are texts, never HTML. */
function make(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && !name.includes("-")) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** An SVG element. */
function draw(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Set a text only where it is another one, so that nobody's selection is lost. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Questions to the kernel: each has an id of its own, since every view of a model hears all answers. */
function questions(model) {
  const waiting = new Map();
  const hear = (answer) => {
    const one = waiting.get(answer.id);
    if (!one) return;
    waiting.delete(answer.id);
    if (answer.error) one.reject(answer.error);
    else one.resolve(answer.value);
  };
  model.on("msg:custom", hear);
  return {
    ask: (question, rest = {}) =>
      new Promise((resolve, reject) => {
        const id = crypto.randomUUID();
        waiting.set(id, { resolve, reject });
        model.send({ id, ask: question, ...rest });
      }),
    stop: () => model.off("msg:custom", hear),
  };
}

/** Tell the kernel something that has no answer; one that has ended hears nothing. */
function tellKernel(model, message) {
  try {
    model.send(message);
  } catch (error) {
    console.debug("not told:", message, error);
  }
}

/** Tell the kernel whether anybody can see the panel: it does not look where nobody does. */
function whileSeen(element, model) {
  const view = crypto.randomUUID();
  let last = null;
  let inView = true;
  const say = (visible) => {
    if (visible !== last) tellKernel(model, { ask: "watch", view, visible });
    last = visible;
  };
  const tell = () => say(inView && !document.hidden);
  const observer = new IntersectionObserver((entries) => {
    inView = entries.some((entry) => entry.isIntersecting);
    tell();
  });
  observer.observe(element);
  document.addEventListener("visibilitychange", tell);
  return () => {
    observer.disconnect();
    document.removeEventListener("visibilitychange", tell);
    say(false);
  };
}

/** Do it as soon as an element can be seen: a modal dialog that nobody sees would lock the whole page. */
function onceShown(element, act) {
  const shown = () => element.getClientRects().length > 0;
  if (shown()) {
    act();
    return;
  }
  const waits = new ResizeObserver(() => {
    if (!shown()) return;
    waits.disconnect();
    act();
  });
  waits.observe(element);
}

/** Ask in a dialog; whether the answer is yes, which fields with a wrong value do not allow. Escape and Cancel are no. */
function confirmed(root, title, content, label) {
  return new Promise((resolve) => {
    const heading = make("h3", { id: `mlox-${crypto.randomUUID()}` }, title);
    const dialog = make("dialog", { class: "mlox-dialog", "aria-labelledby": heading.id });
    const end = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const agree = () => {
      const wrong = [...dialog.querySelectorAll("input, select")].find((field) => !field.checkValidity());
      if (!wrong) end(true);
      else {
        const closed = wrong.closest("details");
        if (closed) closed.open = true; // what is hidden can neither be focused nor be told
        wrong.reportValidity();
      }
    };
    dialog.append(
      heading,
      make("div", { class: "mlox-scroll", tabIndex: 0, role: "region", "aria-label": title }, content),
      make(
        "div",
        { class: "mlox-buttons" },
        make("button", { type: "button", onclick: () => end(false) }, label ? "Cancel" : "Close"),
        label ? make("button", { type: "button", class: "mlox-main", onclick: agree }, label) : null,
      ),
    );
    dialog.addEventListener("cancel", () => end(false));
    // Keys are the dialog's: the notebook would take them for commands.
    dialog.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" || event.target.tagName !== "INPUT" || !label) return;
      event.preventDefault(); // else it would press the button that has the focus again
      agree();
    });
    root.append(dialog);
    onceShown(root, () => dialog.showModal());
  });
}

/** The label of what has the focus within an element: what is drawn anew gets it back by that. */
function focusedIn(element) {
  return element.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
}

/** Give the focus back. */
function focusAgain(element, label) {
  if (label) element.querySelector(`[aria-label="${CSS.escape(label)}"]`)?.focus();
}

/** A table; the first column names each row. */
function table(heading, rows, caption) {
  const body = rows.map(([first, ...others]) =>
    make("tr", {}, make("th", { scope: "row" }, first), others.map((cell) => make("td", {}, cell))),
  );
  return make(
    "table",
    {},
    make("caption", { class: "mlox-hidden" }, caption),
    make("thead", {}, make("tr", {}, heading.map((cell) => make("th", { scope: "col" }, cell)))),
    make("tbody", {}, body),
  );
}

const SIZES = [
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "kB"],
];

/** Bytes as a person reads them. */
function size(bytes) {
  const found = SIZES.find(([many]) => bytes >= many);
  return found ? `${(bytes / found[0]).toPrecision(3)} ${found[1]}` : `${bytes} B`;
}

/** A secret that the kernel has hidden with bytes that only this page knows. */
async function hiddenPassword(questions, name) {
  const pad = crypto.getRandomValues(new Uint8Array(1024));
  const text = (bytes) => btoa(String.fromCharCode(...bytes));
  const answer = await questions.ask("login", { name, pad: text(pad) });
  const hidden = Uint8Array.from(atob(answer.hidden), (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(hidden.map((byte, index) => byte ^ pad[index]));
}
