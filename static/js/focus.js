// A part that is swapped may hold the focus. htmx leaves it on what has an id; anything else gets it back when it stands in
// the part again, by its address and words or its words alone. What is gone leaves it to the page's content: the keyboard
// goes on from there, not from the top of the page.
const words = (el) => el.textContent.trim() || el.name;
let held = null;
document.addEventListener("htmx:before:swap", () => {
  const el = document.activeElement;
  if (el && el !== document.body) held = { el, part: el.parentElement.closest("[id]")?.id };
  else if (held?.el.isConnected) held = null; // given up by hand; what is gone waits for the end of the swap before this one
});
const again = ({ el, part }) => {
  const alike = [...(document.getElementById(part)?.querySelectorAll(el.localName) ?? [])].filter((other) => words(other) === words(el));
  return alike.find((other) => other.getAttribute("href") === el.getAttribute("href")) ?? alike[0] ?? document.getElementById("content");
};
document.addEventListener("htmx:after:swap", () => {
  if (!held || held.el.isConnected || document.activeElement !== document.body) return;
  again(held)?.focus({ preventScroll: true });
  held = null;
});
// Of the charts' tables those that are open stay so when their charts come for another time.
const tables = () => [...document.querySelectorAll(".as-table")];
let unfolded = [];
document.addEventListener("htmx:before:swap", () => (unfolded = tables().map((table) => table.open)));
document.addEventListener("htmx:after:swap", () => tables().forEach((table, i) => (table.open ||= unfolded[i] === true)));
// A filter's chip leads to the page without it. There the next chip has the focus, or with none left what opens the filters.
const chips = () => [...document.querySelectorAll("#chips a")];
on("click", "#chips a", (chip) => sessionStorage.setItem("chip", chips().indexOf(chip)));
atStart(() => {
  const at = sessionStorage.getItem("chip");
  sessionStorage.removeItem("chip");
  if (at === null) return;
  (chips()[at] ?? chips().at(-1) ?? document.querySelector(".filters > summary"))?.focus({ preventScroll: true });
});
