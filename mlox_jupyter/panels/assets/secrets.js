// The panel of secrets: a row for each name, a form to set one, what a rotation would start again before it does.

const DAY_S = 86400;
const LENGTH = 32;

/** How old something is, as a person says it. */
function age(since) {
  if (!since) return "";
  const days = Math.floor((Date.now() / 1000 - since) / DAY_S);
  if (days < 1) return "today";
  return days === 1 ? "yesterday" : `${days} days ago`;
}

class SecretsView extends View {
  constructor(model, root) {
    super("secrets", model, root, ["seen", "work"]);
    this.rows = make("div", { class: "mlox-scroll", tabIndex: 0, role: "region", "aria-label": "Secrets" });
    this.add = make("button", { type: "button", class: "mlox-main", onclick: () => this.set("") }, "Set a secret");
    root.append(
      make("div", { class: "mlox-head" }, make("h2", {}, "Secrets"), make("div", { class: "mlox-buttons" }, this.add)),
      this.problem,
      this.said,
      this.work,
      this.rows,
    );
    this.render();
  }

  render() {
    const seen = this.model.get("seen");
    const work = this.model.get("work");
    this.tellProblem(seen);
    this.showRows(seen.secrets ?? [], Boolean(work.running));
    this.showWork(work);
  }

  showRows(secrets, busy) {
    const shown = JSON.stringify([secrets, busy]);
    if (this.shown === shown) return;
    this.shown = shown;
    const focused = focusedIn(this.rows);
    const rows = secrets.map((row) => [
      row.name,
      row.store,
      row.readers.join(", "),
      age(row.updated),
      make(
        "div",
        { class: "mlox-buttons" },
        this.button("Set", row.name, busy, () => this.set(row.name)),
        row.name.includes(".") ? this.button("Rotate", row.name, busy, () => this.rotate(row.name)) : null,
        this.button("Remove", row.name, busy, () => this.remove(row.name)),
      ),
    ]);
    const none = make("p", { class: "mlox-quiet" }, "No secrets yet.");
    const heading = ["name", "kept in", "readers", "changed", "do"];
    this.rows.replaceChildren(rows.length ? table(heading, rows, "Secrets") : none);
    focusAgain(this.rows, focused);
  }

  button(label, name, disabled, onclick) {
    return make("button", { type: "button", disabled, onclick, "aria-label": `${label} ${name}` }, label);
  }

  /** Ask for a name and a value; the value is cleared before anything is sent back. */
  async set(name) {
    const called = make("input", { type: "text", value: name, readOnly: Boolean(name), required: true, spellcheck: false });
    const value = make("input", { type: "password", autocomplete: "new-password" });
    const generate = make("input", { type: "checkbox" });
    generate.addEventListener("change", () => {
      value.disabled = generate.checked;
    });
    const form = [
      field("Name", called),
      field("Value", value),
      field(`Make a random one of ${LENGTH} characters`, generate),
    ];
    const agreed = await confirmed(this.root, name ? `Set ${name}` : "Set a secret", form, "Set");
    const typed = value.value;
    value.value = "";
    if (!agreed) return;
    if (generate.checked) await this.tell("generate", { name: called.value, length: LENGTH });
    else await this.tell("set", { name: called.value, value: typed });
  }

  async rotate(name) {
    try {
      const what = await this.questions.ask("rotates", { name });
      if (await confirmed(this.root, `Rotate ${name}`, make("p", {}, what), "Rotate")) await this.tell("rotate", { name });
    } catch (error) {
      this.fail(error);
    }
  }

  async remove(name) {
    const text = make("p", {}, "Every version of it goes for good.");
    if (await confirmed(this.root, `Remove ${name}`, text, "Remove")) await this.tell("remove", { name });
  }

  async tell(question, rest) {
    try {
      say(this.said, (await this.questions.ask(question, rest)) ?? "");
    } catch (error) {
      this.fail(error);
    }
  }
}

export default {
  render({ model, el }) {
    const view = new SecretsView(model, el);
    return () => view.close();
  },
};
