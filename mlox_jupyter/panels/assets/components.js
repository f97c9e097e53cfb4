// The panel of components: what the repository has, what can be added, and every change shown before it is made.

const STATES = {
  clean: "as it came",
  edited: "edited",
  update: "outdated",
  conflict: "in conflict",
  missing: "files are missing",
};

class ComponentsView extends View {
  constructor(model, root) {
    super("components", model, root, ["seen", "work"]);
    this.there = make("ul", { class: "mlox-cards", "aria-label": "In this repository" });
    this.none = make("p", { class: "mlox-quiet" }, "No components in this repository yet.");
    this.undo = make("button", { type: "button", onclick: () => this.act("undo", "") }, "Undo the last change");
    this.search = searchField("Search components", () => this.render());
    this.list = make("ul", { class: "mlox-cards", "aria-label": "Components that can be added" });
    root.append(
      make("div", { class: "mlox-head" }, make("h2", {}, "Components"), this.undo),
      this.problem,
      this.said,
      this.work,
      this.none,
      this.there,
      make("div", { class: "mlox-head mlox-next" }, make("h3", {}, "To add"), this.search.element),
      this.list,
    );
    this.render();
  }

  render() {
    const seen = this.model.get("seen");
    const work = this.model.get("work");
    const offered = seen.offered ?? [];
    const found = offered.filter((one) => fits(this.search.input.value, one.name, one.summary, ...one.services));
    this.tellProblem(seen);
    this.showWork(work);
    say(this.search.found, `${found.length} of ${offered.length}`);
    this.show(seen.components ?? [], found, Boolean(work.running));
  }

  show(components, offered, busy) {
    const shown = JSON.stringify([components, offered, busy]);
    if (this.shown === shown) return;
    this.shown = shown;
    const focused = focusedIn(this.root);
    this.undo.disabled = busy;
    this.none.hidden = components.length > 0;
    this.there.replaceChildren(...components.map((one) => this.added(one, busy)));
    this.list.replaceChildren(...offered.map((one) => this.offered(one, busy)));
    focusAgain(this.root, focused);
  }

  added({ name, version, state, files, note }, busy) {
    const settle = [
      this.button("Keep mine", name, busy, () => this.act("mine", name)),
      this.button("Take theirs", name, busy, () => this.act("theirs", name)),
    ];
    return make(
      "li",
      { class: "mlox-card" },
      make("h3", {}, name, make("span", { class: "mlox-status", "data-status": state }, STATES[state] ?? state)),
      make("p", { class: "mlox-quiet" }, `${version} · ${files} file${files === 1 ? "" : "s"}`),
      note ? make("p", { class: "mlox-note" }, note) : null,
      make(
        "div",
        { class: "mlox-buttons" },
        this.button("My edits", name, false, () => this.compare(name, "mine", "What you changed in")),
        this.button("What is new", name, false, () => this.compare(name, "incoming", "What upstream changed in")),
        state === "conflict" ? settle : this.button("Update", name, busy, () => this.act("update", name)),
        this.button("Remove", name, busy, () => this.act("remove", name)),
      ),
    );
  }

  button(label, name, disabled, onclick) {
    return make("button", { type: "button", disabled, onclick, "aria-label": `${label}: ${name}` }, label);
  }

  offered(component, busy) {
    const uses = component.services.length ? `can use ${component.services.join(", ")}` : "";
    return make(
      "li",
      { class: "mlox-card" },
      make("h3", {}, component.name, make("span", { class: "mlox-quiet" }, component.version)),
      make("p", {}, component.summary),
      make("p", { class: "mlox-quiet" }, uses),
      make("div", { class: "mlox-buttons" }, this.button("Add", component.name, busy, () => this.add(component.name))),
    );
  }

  async compare(name, view, title) {
    try {
      const found = await this.questions.ask("diff", { name, view });
      await confirmed(this.root, `${title} ${name}`, differences(found), "");
    } catch (error) {
      this.fail(error);
    }
  }

  async add(name) {
    try {
      const facts = await this.questions.ask("form", { name });
      const options = optionFields(facts.options);
      const to = make("input", { type: "text", spellcheck: false, placeholder: "where mlox finds the package" });
      const content = [make("p", {}, facts.summary), ...options.elements, field("Folder of the package", to)];
      const given = () => ({ options: options.given(), to: to.value.trim() });
      const previewed = async () => {
        const asking = { act: "add", name, given: given() };
        return { given: asking.given, found: await this.questions.ask("preview", asking) };
      };
      const form = make("div", {}, content);
      const answer = await asked(this.root, `Add ${name}`, form, "What would be written", previewed);
      if (answer) await this.agree("add", name, answer.given, answer.found);
    } catch (error) {
      this.fail(error);
    }
  }

  async act(act, name) {
    try {
      await this.agree(act, name, {}, await this.questions.ask("preview", { act, name, given: {} }));
    } catch (error) {
      this.fail(error);
    }
  }

  async agree(act, name, given, found) {
    const what = [{ mine: "keep mine of", theirs: "take theirs of" }[act] ?? act, name].filter(Boolean).join(" ");
    if (!(await confirmed(this.root, `mlox ${what}`, differences(found), what))) return;
    say(this.said, "");
    await this.questions.ask("act", { act, name, given, digest: found.digest });
  }
}

export default {
  render({ model, el }) {
    const view = new ComponentsView(model, el);
    return () => view.close();
  },
};
