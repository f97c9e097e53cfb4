// The panel of a stack: a card for each service, plans before anything is done, logs that follow.

const MARKS = {
  running: "●",
  ready: "●",
  starting: "◐",
  unhealthy: "▲",
  failed: "▲",
  unreachable: "▲",
  stopped: "○",
  absent: "○",
};
const ALIVE = ["running", "starting", "unhealthy", "failed"];
const LOGS_MS = 1500;

/** One service: made once, then told what is new, so that focus and selection stay. */
class Card {
  constructor(panel, name) {
    this.panel = panel;
    this.name = name;
    this.status = make("span", { class: "mlox-status" });
    this.what = make("span", { class: "mlox-quiet" });
    this.address = make("a", { target: "_blank", rel: "noopener noreferrer" });
    this.usage = make("ul", { class: "mlox-usage", "aria-label": `What ${name} uses` });
    this.note = make("p", { class: "mlox-note" });
    this.start = this.button("Up", "up");
    this.stop = this.button("Down", "down");
    this.again = this.button("Restart", "restart");
    this.copy = make("button", { type: "button", onclick: () => panel.copyPassword(this) }, "Copy password");
    this.logs = make("button", { type: "button", onclick: () => panel.showLogs(name) }, "Logs");
    for (const button of [this.copy, this.logs]) button.setAttribute("aria-label", `${button.textContent} of ${name}`);
    this.element = make(
      "li",
      { class: "mlox-card" },
      make("h3", {}, name, " ", this.status),
      make("p", {}, this.what),
      make("p", {}, this.address),
      this.note,
      this.usage,
      make("div", { class: "mlox-buttons" }, this.start, this.stop, this.again, this.logs, this.copy),
    );
  }

  button(label, act) {
    const press = () => this.panel.act(act, [this.name]);
    return make("button", { type: "button", "aria-label": `${label} ${this.name}`, onclick: press }, label);
  }

  tell(row, busy) {
    say(this.status, `${MARKS[row.status] ?? "○"} ${row.status}`);
    this.status.dataset.status = row.status;
    say(this.what, [row.service, row.version, `on ${row.server}`].filter(Boolean).join(" · "));
    const link = row.url && /^https?:/.test(row.url);
    say(this.address, row.url ?? "");
    if (link) this.address.href = row.url;
    else this.address.removeAttribute("href");
    this.address.hidden = !row.url;
    say(this.note, row.note ?? "");
    this.note.hidden = !row.note;
    const alive = ALIVE.includes(row.status);
    this.start.disabled = busy || row.status === "running";
    this.stop.disabled = busy || !alive;
    this.again.disabled = busy || !alive;
    this.copy.disabled = !alive;
  }

  measure(usage) {
    const pairs = usage
      ? [
          ["CPU", usage.cpu_percent === null ? null : `${usage.cpu_percent.toFixed(1)} %`],
          ["Memory", usage.memory_bytes === null ? null : size(usage.memory_bytes)],
          ["Disk", usage.disk_bytes === null ? null : size(usage.disk_bytes)],
          ["Restarts", usage.restarts ? String(usage.restarts) : null],
        ].filter(([, value]) => value !== null)
      : [];
    const text = JSON.stringify(pairs);
    if (this.measured === text) return;
    this.measured = text;
    this.usage.replaceChildren(
      ...pairs.map(([key, value]) => make("li", {}, make("span", { class: "mlox-quiet" }, `${key} `), value)),
    );
  }
}

class StackView extends View {
  constructor(model, root) {
    super("stack", model, root, ["seen", "usage", "work"]);
    this.cards = new Map();
    this.following = null;
    this.title = make("h2");
    this.up = make("button", { type: "button", class: "mlox-main", onclick: () => this.act("up", []) }, "Up all");
    this.down = make("button", { type: "button", onclick: () => this.act("down", []) }, "Down all");
    this.picture = make("div", { class: "mlox-scroll", tabIndex: 0, role: "region", "aria-label": "What needs what" });
    this.list = make("ul", { class: "mlox-cards", "aria-label": "Services" });
    this.logs = make("section", { class: "mlox-logs", hidden: true });
    root.append(
      make("div", { class: "mlox-head" }, this.title, make("div", { class: "mlox-buttons" }, this.up, this.down)),
      this.problem,
      this.said,
      this.work,
      this.picture,
      this.list,
      this.logs,
    );
    this.render();
  }

  render() {
    const seen = this.model.get("seen");
    const work = this.model.get("work");
    const services = seen.services ?? [];
    const busy = Boolean(work.running);
    say(this.title, seen.stack ? `Stack ${seen.stack}` : "Stack");
    this.tellProblem(seen);
    this.up.disabled = busy || !services.length;
    this.down.disabled = busy || !services.some((row) => ALIVE.includes(row.status));
    if (!services.length && !seen.problem) say(this.said, "No services yet: %mlox up mlflow");
    else if (this.said.textContent.startsWith("No services")) say(this.said, "");
    this.showCards(services, busy);
    this.showPicture(services);
    this.showWork(work);
  }

  showCards(services, busy) {
    const names = services.map((row) => row.name);
    for (const name of this.cards.keys()) {
      if (!names.includes(name)) {
        this.cards.get(name).element.remove();
        this.cards.delete(name);
      }
    }
    services.forEach((row, index) => {
      const card = this.cards.get(row.name) ?? new Card(this, row.name);
      this.cards.set(row.name, card);
      if (this.list.children[index] !== card.element) this.list.insertBefore(card.element, this.list.children[index] ?? null);
      card.tell(row, busy);
      card.measure(this.model.get("usage")[row.name]);
    });
  }

  showPicture(services) {
    const shown = JSON.stringify(services.map((row) => [row.name, row.status, row.needs]));
    if (this.drawn === shown) return;
    this.drawn = shown;
    const wired = services.some((row) => row.needs.length);
    this.picture.hidden = !wired;
    this.picture.replaceChildren(...(wired ? [drawing(services)] : []));
  }

  async act(act, names) {
    const what = [act, ...names].join(" ");
    try {
      const plan = await this.questions.ask("plan", { act, names });
      if (!plan.rows.length) {
        say(this.said, `${what}: nothing to do`);
        return;
      }
      const notes = plan.notes.length ? make("p", { class: "mlox-quiet" }, plan.notes.join(" · ")) : null;
      const content = [table(plan.heading, plan.rows, `What ${what} would do`), notes];
      if (await confirmed(this.root, `mlox ${what}`, content, what)) {
        say(this.said, "");
        await this.questions.ask("act", { act, names, digest: plan.digest });
      }
    } catch (error) {
      this.fail(error);
    }
  }

  async copyPassword(card) {
    try {
      await navigator.clipboard.writeText(await hiddenPassword(this.questions, card.name));
      say(this.said, `The password of ${card.name} is in the clipboard.`);
    } catch (error) {
      this.fail(error.problem ? error : { problem: `the clipboard cannot be written: ${error.message}`, hint: "" });
    }
  }

  showLogs(name) {
    clearTimeout(this.following);
    const text = make("pre", { tabIndex: 0, role: "log", "aria-label": `Logs of ${name}` });
    const close = () => {
      clearTimeout(this.following);
      this.logs.hidden = true;
      this.cards.get(name)?.logs.focus();
    };
    const shut = make("button", { type: "button", onclick: close }, "Close logs");
    this.logs.hidden = false;
    this.logs.replaceChildren(make("div", { class: "mlox-head" }, make("h3", {}, `Logs of ${name}`), shut), text);
    const follow = async () => {
      try {
        const said = await this.questions.ask("logs", { name });
        const atEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 20;
        say(text, said || "nothing yet");
        if (atEnd) text.scrollTop = text.scrollHeight;
      } catch (error) {
        say(text, `${error.problem}\n${error.hint}`);
      }
      if (!this.logs.hidden && text.isConnected) this.following = setTimeout(follow, LOGS_MS);
    };
    follow();
    shut.focus();
  }

  close() {
    clearTimeout(this.following);
    super.close();
  }
}

export default {
  render({ model, el }) {
    const view = new StackView(model, el);
    return () => view.close();
  },
};
