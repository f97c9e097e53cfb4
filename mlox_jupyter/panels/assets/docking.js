// A panel beside the notebook, where JupyterLab is the page.

/** Whether a view is below its cell. */
function inCell(root) {
  return Boolean(root.closest(".jp-OutputArea"));
}

/** Where JupyterLab is the page, a cell asks for its panel to be put beside the notebook, and keeps a line for it. */
function whereDocked(root, model) {
  const bring = () => {
    root.classList.remove("mlox-away"); // also where no kernel hears it
    tellKernel(model, { ask: "undock" });
  };
  const back = make("button", { type: "button", onclick: bring }, "Show it here");
  const line = make("div", { class: "mlox-stub" }, make("span", {}, "This panel is beside the notebook."), back);
  root.append(line);
  const inLab = () => inCell(root) && Boolean(root.closest(".jp-LabShell"));
  const show = () => root.classList.toggle("mlox-away", model.get("docked") && inLab());
  const observer = new IntersectionObserver(() => {
    observer.disconnect(); // once it is in the page
    if (inLab()) tellKernel(model, { ask: "dock" });
    show();
  });
  observer.observe(root);
  model.on("change:docked", show);
  return () => {
    observer.disconnect();
    model.off("change:docked", show);
  };
}

/** Close the tab of a view whose kernel has ended, as a click on its cross does: the new kernel's panel gets its own. */
function closeTab(root) {
  const place = root.closest('[role="tabpanel"]');
  const tab = place && !inCell(root) ? document.getElementById(place.getAttribute("aria-labelledby")) : null;
  const cross = tab?.querySelector(".lm-TabBar-tabCloseIcon");
  if (!cross) return;
  const box = cross.getBoundingClientRect();
  const at = { bubbles: true, button: 0, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
  for (const kind of ["pointerdown", "pointerup"]) cross.dispatchEvent(new PointerEvent(kind, at));
}
