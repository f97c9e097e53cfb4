// How files differ, before beside after.

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)/;

/** The lines of a unified diff as pairs of a line before and one after; a gap is a text. */
function pairs(lines) {
  const rows = [];
  let [left, right, before, after] = [[], [], 0, 0];
  const flush = () => {
    for (let at = 0; at < Math.max(left.length, right.length); at += 1) rows.push([left[at], right[at]]);
    [left, right] = [[], []];
  };
  for (const line of lines.slice(2)) {
    const hunk = HUNK.exec(line);
    if (hunk) {
      flush();
      [before, after] = [Number(hunk[1]), Number(hunk[2])];
      rows.push(line);
    } else if (line.startsWith("-")) {
      left.push({ number: before, text: line, mark: "gone" });
      before += 1;
    } else if (line.startsWith("+")) {
      right.push({ number: after, text: line, mark: "new" });
      after += 1;
    } else {
      flush();
      rows.push([{ number: before, text: line }, { number: after, text: line }]);
      [before, after] = [before + 1, after + 1];
    }
  }
  flush();
  return rows;
}

function cells(one) {
  if (!one) return [make("td", { class: "mlox-number" }), make("td", { class: "mlox-code" })];
  const code = make("td", { class: "mlox-code", "data-mark": one.mark }, one.text);
  return [make("td", { class: "mlox-number" }, String(one.number)), code];
}

/** One file: a table of both sides, or of the one that there is. */
function fileDifference({ path, diff }, open) {
  const rows = pairs(diff);
  const changed = rows.filter((row) => typeof row !== "string");
  const count = (side) => changed.filter((row) => row[side]?.mark).length;
  const sides = [0, 1].filter((side) => changed.some((row) => row[side]));
  const heading = sides.map((side) => make("th", { scope: "col", colSpan: 2 }, ["before", "after"][side]));
  const body = rows.map((row) =>
    typeof row === "string"
      ? make("tr", {}, make("td", { class: "mlox-gap", colSpan: 2 * sides.length }, row))
      : make("tr", {}, sides.flatMap((side) => cells(row[side]))),
  );
  return make(
    "details",
    { open, class: "mlox-file" },
    make("summary", {}, `${path}  +${count(1)} −${count(0)}`),
    make(
      "table",
      { class: "mlox-difference" },
      make("caption", { class: "mlox-hidden" }, `How ${path} differs`),
      make("colgroup", {}, sides.flatMap(() => [make("col", { class: "mlox-number" }), make("col")])),
      make("thead", {}, make("tr", {}, heading)),
      make("tbody", {}, body),
    ),
  );
}

/** Lines, then all files; those of many are closed but for the first. */
function differences({ lines, files }) {
  const told = lines.length ? make("pre", {}, lines.join("\n")) : null;
  const shown = files.map((file, index) => fileDifference(file, files.length <= 3 || index === 0));
  return told ? [told, ...shown] : shown;
}
