// Shortcuts are the entries of the list under "?": each says its keys and what they do. They are off while somebody types,
// while a dialog is open, and where the box in that list says so.
const offKey = "belfry-keys-off";
const off = () => remembered(localStorage, offKey) === "1";
const typing = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

const moves = {
  find: () => {
    const find = document.querySelector("[data-find]");
    if (!find?.checkVisibility()) return document.querySelector(".bar-find")?.click();
    find.focus();
    find.select();
  },
  list: () => document.getElementById("shortcuts")?.showModal(),
  down: () => step(1),
  up: () => step(-1),
  newer: () => document.querySelector("a[rel=prev]")?.click(),
  older: () => document.querySelector("a[rel=next]")?.click(),
};

// The rows of a page are its main cells' links and the lines that open, in their order.
const rowLinks = "tbody th[scope=row] a, .type-line > summary, .arrivals summary";
const step = (by) => {
  const rows = [...document.querySelectorAll(rowLinks)].filter((row) => row.checkVisibility());
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement?.closest("tr, .type-line, .arrivals li")?.querySelector(rowLinks) ?? null);
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
  row.focus();
  row.scrollIntoView({ block: "nearest" });
};

// A key with another is not ours, but for "[" and "]": many keyboards have them on AltGr or Option.
const chord = (event) => event.metaKey || (event.altKey ? !/^[[\]]$/.test(event.key) : event.ctrlKey);

let first = "", forget = 0;
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || chord(event) || event.key.length > 1) return;
  if (typing(event.target) || document.querySelector("dialog:modal") || off()) return;
  const find = (keys) => document.querySelector(`#shortcuts [data-keys="${CSS.escape(keys)}"]`);
  const entry = (first && find(`${first} ${event.key}`)) || find(event.key);
  clearTimeout(forget);
  first = entry ? "" : event.key;
  forget = setTimeout(() => (first = ""), 1200);
  if (!entry) return;
  event.preventDefault();
  if (entry.dataset.href) location.assign(entry.dataset.href);
  else moves[entry.dataset.does]?.();
});
atStart(() => each("[data-keys-off]", (box) => (box.checked = !off())));
on("change", "[data-keys-off]", (box) => remember(localStorage, offKey, box.checked ? null : "1"));
