// Tabs, as the ARIA Authoring Practices describe them; the one that is open stands in the address.
{
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const open = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      panel(tab).hidden = tab !== chosen;
    }
  };
  const asked = () => tabs.find((tab) => `#${panel(tab).id}` === location.hash) ?? tabs[0];
  const choose = (tab) => {
    open(tab);
    tab.focus();
    history.replaceState(null, "", `#${panel(tab).id}`);
  };
  const keys = { ArrowRight: 1, ArrowLeft: -1 };
  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      const to = { Home: 0, End: tabs.length - 1 }[event.key] ?? place + (keys[event.key] ?? NaN);
      if (Number.isNaN(to)) return;
      event.preventDefault();
      choose(tabs.at(to % tabs.length));
    });
  });
  addEventListener("hashchange", () => open(asked()));
  open(asked());
}

// Who closes the page ends its kernel. Voilà says so before the page is unloaded, which browsers leave out at times.
addEventListener("pagehide", () => {
  const { baseUrl, kernelId } = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  navigator.sendBeacon(`${baseUrl}voila/api/shutdown/${kernelId}`);
});
