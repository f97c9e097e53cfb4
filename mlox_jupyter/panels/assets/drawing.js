// A drawing of what needs what.

/** In which row of the drawing each service is: below all that need it. */
function levels(services) {
  const byName = new Map(services.map((row) => [row.name, row]));
  const found = new Map();
  const level = (name, way) => {
    if (found.has(name)) return found.get(name);
    if (way.includes(name)) return 0;
    const below = byName.get(name).needs.filter((need) => byName.has(need));
    const one = below.length ? 1 + Math.max(...below.map((need) => level(need, [...way, name]))) : 0;
    found.set(name, one);
    return one;
  };
  for (const row of services) level(row.name, []);
  return found;
}

/** What needs what, from left to right; in words too. */
function drawing(services) {
  const at = levels(services);
  const columns = [];
  for (const row of services) (columns[at.get(row.name)] ??= []).push(row);
  const [width, height, gapX, gapY] = [132, 30, 48, 12];
  const places = new Map();
  columns.forEach((rows, x) => {
    rows.forEach((row, y) => places.set(row.name, [x * (width + gapX), y * (height + gapY)]));
  });
  const edges = services.flatMap((row) => row.needs.filter((need) => places.has(need)).map((need) => [row.name, need]));
  const told = edges.map(([one, other]) => `${one} needs ${other}`).join("; ");
  const whole = [columns.length * (width + gapX) - gapX, Math.max(...columns.map((rows) => rows.length)) * (height + gapY)];
  const picture = draw("svg", {
    viewBox: `-2 -2 ${whole[0] + 4} ${whole[1] + 4}`,
    width: whole[0] + 4,
    height: whole[1] + 4,
    role: "img",
    "aria-label": `What needs what: ${told}`,
  });
  for (const [one, other] of edges) {
    const [x1, y1] = places.get(other);
    const [x2, y2] = places.get(one);
    const [left, middle, right] = [x1 + width, (x1 + width + x2) / 2, x2];
    const [from, to] = [y1 + height / 2, y2 + height / 2];
    picture.append(
      draw("path", { d: `M${left},${from} C${middle},${from} ${middle},${to} ${right},${to}`, class: "mlox-edge" }),
    );
  }
  for (const row of services) {
    const [x, y] = places.get(row.name);
    const text = draw("text", { x: x + width / 2, y: y + height / 2 + 4, "text-anchor": "middle" });
    text.textContent = row.name.length > 18 ? `${row.name.slice(0, 17)}…` : row.name;
    const box = draw("rect", { x, y, width, height, rx: 5, class: "mlox-node", "data-status": row.status });
    const title = draw("title");
    title.textContent = `${row.name}: ${row.status}`;
    picture.append(draw("g", {}, title, box, text));
  }
  return picture;
}
