// The panel of the catalog: search, a card for each service, a form, then its plan and what it takes before it is up.

class CatalogView extends View {
  constructor(model, root) {
    super("catalog", model, root, ["seen", "work"]);
    this.search = searchField("Search services", () => this.render());
    this.list = make("ul", { class: "mlox-cards", "aria-label": "Services that can be deployed" });
    root.append(
      make("div", { class: "mlox-head" }, make("h2", {}, "Catalog"), this.search.element),
      this.problem,
      this.said,
      this.work,
      this.list,
    );
    this.render();
  }

  render() {
    const seen = this.model.get("seen");
    const work = this.model.get("work");
    const services = seen.services ?? [];
    this.tellProblem(seen);
    this.showWork(work);
    const found = services.filter((one) => fits(this.search.input.value, one.name, one.summary, ...one.provides));
    say(this.search.found, `${found.length} of ${services.length}`);
    this.showCards(found, Boolean(work.running));
  }

  showCards(services, busy) {
    const shown = JSON.stringify([services, busy]);
    if (this.shown === shown) return;
    this.shown = shown;
    const focused = focusedIn(this.list);
    this.list.replaceChildren(...services.map((one) => this.card(one, busy)));
    focusAgain(this.list, focused);
  }

  card(service, busy) {
    const there = service.there.map((one) =>
      make(
        "li",
        {},
        make("span", { class: "mlox-status", "data-status": one.status }, `${one.name}: ${one.status}`),
        " ",
        one.url && /^https?:/.test(one.url)
          ? make("a", { href: one.url, target: "_blank", rel: "noopener noreferrer" }, one.url)
          : null,
      ),
    );
    const label = `Up ${service.name}`;
    const press = () => this.up(service.name);
    return make(
      "li",
      { class: "mlox-card" },
      make("h3", {}, service.name, make("span", { class: "mlox-quiet" }, service.version)),
      make("p", {}, service.summary),
      make("p", { class: "mlox-quiet" }, `on ${service.backends.join(", ")}`),
      there.length ? make("ul", { class: "mlox-there", "aria-label": `Made of ${service.name}` }, there) : null,
      make(
        "div",
        { class: "mlox-buttons" },
        make("button", { type: "button", disabled: busy, onclick: press, "aria-label": label }, "Up"),
      ),
    );
  }

  async up(name) {
    try {
      const facts = await this.questions.ask("form", { name });
      const form = serviceForm(facts);
      const planned = async () => {
        const given = form.given();
        return { given, plan: await this.questions.ask("plan", { name, given }) };
      };
      const answer = await asked(this.root, `Up ${name}`, form.content, "What would be done", planned);
      if (answer) await this.agree(name, answer.given, answer.plan);
    } catch (error) {
      this.fail(error);
    }
  }

  async agree(name, given, plan) {
    if (!plan.rows.length) {
      say(this.said, `up ${name}: nothing to do`);
      return;
    }
    const { memory_bytes: memory, disk_bytes: disk } = plan.estimate;
    const text = `Takes about ${size(memory)} of memory and ${size(disk)} of disk.`;
    const takes = memory || disk ? make("p", {}, text) : null;
    const notes = plan.notes.length ? make("p", { class: "mlox-quiet" }, plan.notes.join(" · ")) : null;
    const content = [table(plan.heading, plan.rows, `What up ${name} would do`), takes, notes];
    if (!(await confirmed(this.root, `mlox up ${name}`, content, `up ${name}`))) return;
    say(this.said, "");
    await this.questions.ask("up", { name, given, digest: plan.digest });
    this.work.scrollIntoView({ block: "nearest" });
  }
}

/** What can be said of a service before it is up: its options, what meets its needs, where it goes. */
function serviceForm(facts) {
  const options = optionFields(facts.options);
  const needs = Object.entries(facts.needs).map(([name, need]) => {
    const pairs = [["", "as mlox decides"], ...need.services.map((one) => [one, one])];
    if (need.embedded) pairs.push(["embedded", "nothing else: it has its own"]);
    return { name, input: choice(pairs, ""), help: need.help };
  });
  const words = { type: "text", spellcheck: false };
  const called = make("input", { ...words, placeholder: facts.name });
  matching(called, "(?:[a-z][a-z0-9-]*)?");
  const version = make("input", { ...words, placeholder: facts.version });
  const on = choice([["", "as mlox decides"], ...facts.servers.map((one) => [one, one])], "");
  const supports = facts.supports ? `One of ${facts.supports}; ${facts.version} where nothing is said.` : "";
  const where = make(
    "details",
    {},
    make("summary", {}, "Name, version and server"),
    field("Name in the stack", called),
    field("Version", version, supports),
    field("Server", on),
  );
  const home = { href: facts.homepage, target: "_blank", rel: "noopener noreferrer" };
  const link = /^https?:/.test(facts.homepage) ? make("a", home, facts.homepage) : null;
  const given = () => ({
    as: called.value.trim(),
    version: version.value.trim(),
    on: on.value,
    options: options.given(),
    needs: Object.fromEntries(needs.filter((one) => one.input.value).map((one) => [one.name, one.input.value])),
  });
  const wired = needs.map((one) => field(`Needs: ${one.name}`, one.input, one.help));
  return { content: make("div", {}, make("p", {}, facts.summary, " ", link), options.elements, wired, where), given };
}

export default {
  render({ model, el }) {
    const view = new CatalogView(model, el);
    return () => view.close();
  },
};
