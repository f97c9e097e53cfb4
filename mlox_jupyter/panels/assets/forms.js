// Forms that are made from options: a field for each, checked by the browser before the kernel is asked.

/** A field with its label, and a help that is read after it. */
function field(label, input, help = "") {
  if (!help) return make("label", { class: "mlox-field" }, make("span", {}, label), input);
  const note = make("p", { class: "mlox-quiet", id: `mlox-${crypto.randomUUID()}` }, help);
  input.setAttribute("aria-describedby", note.id);
  return make("div", {}, make("label", { class: "mlox-field" }, make("span", {}, label), input), note);
}

/** A choice among values; pairs of a value and what is shown for it. */
function choice(pairs, chosen) {
  const made = make("select", {}, pairs.map(([value, text]) => make("option", { value }, text)));
  made.value = chosen;
  return made;
}

/** Check a text by a pattern: not as HTML's `pattern`, whose flag `v` refuses classes that others take, as `[a-z-]`. */
function matching(input, pattern) {
  if (!pattern) return;
  let expression;
  try {
    expression = new RegExp(`^(?:${pattern})$`, "u");
  } catch (error) {
    console.debug("the kernel checks this one:", pattern, error);
    return;
  }
  input.addEventListener("input", () => {
    input.setCustomValidity(expression.test(input.value.trim()) ? "" : `It has to match ${pattern}`);
  });
}

/** The input of an option, and what was chosen where that is not its default. */
function optionInput(option) {
  const usual = option.default === null ? "" : String(option.default);
  const required = option.default === null;
  const limits = { min: option.minimum ?? undefined, max: option.maximum ?? undefined };
  let input;
  if (option.type === "boolean") input = make("input", { type: "checkbox", checked: option.default === true });
  else if (option.choices.length) input = choice(option.choices.map((one) => [String(one), String(one)]), usual);
  else if (["integer", "number"].includes(option.type)) {
    input = make("input", { type: "number", step: option.type === "integer" ? "1" : "any", value: usual, required, ...limits });
  } else {
    input = make("input", { type: "text", value: usual, required, spellcheck: false });
    matching(input, option.pattern);
  }
  const value = () => (option.type === "boolean" ? String(input.checked) : input.value.trim());
  return { input, given: () => (value() === usual ? null : value()) };
}

/** Fields for options by name; what was given is those that differ from their defaults. */
function optionFields(options) {
  const made = Object.entries(options).map(([name, option]) => ({ name, help: option.help, ...optionInput(option) }));
  return {
    elements: made.map((one) => field(one.name, one.input, one.help)),
    given: () => Object.fromEntries(made.map((one) => [one.name, one.given()]).filter(([, value]) => value !== null)),
  };
}

/** Ask until the kernel takes what was given, or nobody wants it any more; what `attempt` came to, or null. */
async function asked(root, title, content, label, attempt) {
  const wrong = make("p", { class: "mlox-problem", role: "alert", hidden: true });
  for (;;) {
    if (!(await confirmed(root, title, [wrong, content], label))) return null;
    try {
      return await attempt();
    } catch (error) {
      say(wrong, [error.problem ?? error, error.hint].filter(Boolean).join(" · "));
      wrong.hidden = false;
    }
  }
}

/** Whether all words occur in a text. */
function fits(words, ...texts) {
  const text = texts.join(" ").toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** A field to search with, which says how many were found. */
function searchField(label, search) {
  const input = make("input", { type: "search", placeholder: label, "aria-label": label, oninput: search });
  const found = make("span", { class: "mlox-quiet", role: "status" });
  return { input, found, element: make("div", { class: "mlox-search" }, input, found) };
}
