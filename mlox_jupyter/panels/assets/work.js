// A piece of work, with a bar for each service.

/** What a piece of work is at: a bar for each service; when it has ended, what took how long. */
function workView(work) {
  const whole = Math.max(work.took_s, 0.1);
  const lines = work.steps
    .filter((step) => step.service)
    .map((step) => {
      const end = step.ended_s ?? work.took_s;
      const share = step.fraction === null || step.ended_s !== null ? null : step.fraction;
      const mark = { done: "✓", failed: "✗", warning: "!" }[step.kind] ?? (work.running ? "…" : "");
      const bar = make("span", { class: "mlox-bar", "data-kind": step.kind });
      bar.style.marginLeft = `${(100 * step.began_s) / whole}%`;
      bar.style.width = `${Math.max((100 * (end - step.began_s)) / whole, 0.5)}%`;
      const told = `${mark} ${step.message}${share === null ? "" : ` ${Math.round(100 * share)} %`}`;
      const took = `${(end - step.began_s).toFixed(1)} s`;
      return make(
        "tr",
        {},
        make("th", { scope: "row" }, step.service),
        make("td", {}, told),
        make("td", { class: "mlox-track" }, bar),
        make("td", {}, took),
      );
    });
  const heading = ["service", "at", "when", "took"].map((cell) => make("th", { scope: "col" }, cell));
  const steps = make("table", {}, make("thead", {}, make("tr", {}, heading)), make("tbody", {}, lines));
  const title = work.running ? `${work.title} …` : `${work.title}: ${work.failed ? "failed" : "done"}`;
  const end = [work.problem, work.hint && `hint: ${work.hint}`, work.text].filter(Boolean).join("\n");
  return [
    make("h3", {}, `${title} (${work.took_s.toFixed(0)} s)`),
    lines.length ? steps : null,
    end ? make("pre", {}, end) : null,
  ];
}
