// What the views of all panels have: what went wrong, what was said, the work that goes on, and an end.

class View {
  constructor(name, model, root, traits) {
    this.model = model;
    this.root = root;
    this.traits = traits;
    this.questions = questions(model);
    this.problem = make("p", { class: "mlox-problem", role: "alert" });
    this.said = make("p", { class: "mlox-quiet", role: "status" });
    this.work = make("section", { class: "mlox-work", "aria-label": "Work", hidden: true });
    root.classList.add("mlox-panel");
    root.dataset.panel = name;
    // Keys on a button are the button's: the notebook would run the cell, or take them for commands.
    this.keep = (event) => {
      if (event.key !== "Escape" && event.key !== "Tab") event.stopPropagation();
    };
    root.addEventListener("keydown", this.keep);
    this.changed = () => this.render();
    for (const name of traits) model.on(`change:${name}`, this.changed);
    this.unseen = whileSeen(root, model);
    this.undocked = whereDocked(root, model);
    this.ended = () => {
      this.tellProblem({ problem: "This kernel has ended: run the panel's cell again." });
      this.undocked();
      root.classList.remove("mlox-away");
      closeTab(root);
    };
    model.on("comm_live_update", this.ended);
  }

  /** What cannot be seen, and what fires. */
  tellProblem(seen) {
    say(this.problem, [seen.problem, ...(seen.alerts ?? []), seen.hint].filter(Boolean).join(" · "));
    this.problem.hidden = !this.problem.textContent;
  }

  showWork(work) {
    const shown = JSON.stringify(work);
    if (this.worked === shown) return;
    this.worked = shown;
    this.work.hidden = !work.title;
    if (work.title) this.work.replaceChildren(...workView(work).filter(Boolean));
  }

  fail(error) {
    say(this.said, `error: ${error.problem ?? error}${error.hint ? ` · hint: ${error.hint}` : ""}`);
  }

  close() {
    this.unseen();
    this.undocked();
    this.model.off("comm_live_update", this.ended);
    this.questions.stop();
    this.root.removeEventListener("keydown", this.keep);
    for (const name of this.traits) this.model.off(`change:${name}`, this.changed);
  }
}
