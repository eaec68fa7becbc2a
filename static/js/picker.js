// Event picker: search, whole groups, all or none. It counts what is chosen.
// A group that is chosen covers its types: they are ticked and can't be changed. What was ticked before comes back after.
const cover = (type, whole) => {
  if (whole === type.disabled) return;
  if (whole) type.dataset.own = type.checked ? "yes" : "no";
  type.checked = whole || type.dataset.own === "yes";
  type.disabled = whole;
};
const groupState = (group) => {
  const box = group.querySelector("[data-group]");
  const types = [...group.querySelectorAll("[data-type]")];
  types.forEach((type) => cover(type, box.checked));
  const chosen = types.filter((type) => type.checked).length;
  box.indeterminate = !box.checked && chosen > 0;
  const count = group.querySelector("[data-count]");
  if (count) count.textContent = box.checked ? `all ${types.length}` : chosen ? `${chosen} of ${types.length}` : `${types.length}`;
};
const pickerState = (picker) => {
  each("[data-picker-group]", groupState, picker);
  const types = [...picker.querySelectorAll("[data-type]")];
  const fieldset = picker.closest("fieldset"), word = fieldset?.querySelector("[data-chosen]");
  if (!word) return;
  const all = fieldset.querySelector("[name=which]:checked")?.value === "all";
  const group = (type) => type.closest("[data-picker-group]").querySelector("[data-group]");
  const chosen = types.filter((type) => (all ? group(type).value !== "webhook.*" : type.checked || group(type).checked));
  const events = chosen.reduce((sum, type) => sum + Number(type.dataset.day ?? 0), 0);
  word.textContent = (all ? "All but webhook.*" : `${chosen.length} of ${types.length} chosen`) +
    (events ? `, about ${events.toLocaleString("en-US")} ${events === 1 ? "event" : "events"} a day` : "");
};
on("change", "[data-picker] input", (input) => pickerState(input.closest("[data-picker]")));
on("change", "[name=which]", (input) => each("[data-picker]", pickerState, input.closest("fieldset")));

// The arrows walk the tree as in any list: up and down over what shows, left and right close and open a group.
on("keydown", "[data-picker] :is(input[type=checkbox], summary)", (item, event) => {
  const picker = item.closest("[data-picker]"), details = item.closest("[data-picker-group]").querySelector("details");
  const items = [...picker.querySelectorAll("summary, [data-type]")].filter((one) => !one.disabled && one.checkVisibility());
  const at = items.indexOf(item.matches("[data-group]") ? details.querySelector("summary") : item);
  const to = { ArrowDown: items[at + 1], ArrowUp: items[at - 1] ?? picker.querySelector("[data-picker-search]"), ArrowLeft: details.querySelector("summary"), ArrowRight: item }[event.key];
  if (!event.key.startsWith("Arrow")) return;
  event.preventDefault();
  if (event.key === "ArrowRight") details.open = true;
  if (event.key === "ArrowLeft") details.open = details.open && !item.matches("summary");
  to?.focus();
});
on("input", "[data-picker-search]", (input) => {
  const wanted = input.value.trim().toLowerCase();
  each("[data-picker-group]", (group) => {
    let any = false;
    each("li", (row) => {
      row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      any ||= !row.hidden;
    }, group);
    group.hidden = !any;
    if (wanted && any) group.querySelector("details").open = true;
  }, input.closest("[data-picker]"));
});
// From the search down to the first type that it left, and back up from there.
on("keydown", "[data-picker-search]", (input, event) => {
  const first = [...input.closest("[data-picker]").querySelectorAll("[data-type]")].find((type) => !type.disabled && type.checkVisibility());
  if (event.key === "ArrowDown") first?.focus();
  if (event.key === "ArrowDown" || event.key === "Enter") event.preventDefault();
});
on("click", "[data-picker-expand]", (button) =>
  each("details", (details) => (details.open = true), button.closest("[data-picker]")));
on("click", "[data-picker-clear]", (button) => {
  const picker = button.closest("[data-picker]");
  each("[data-type], [data-group]", (box) => (box.checked = box.disabled = false), picker);
  pickerState(picker);
});

// Of a picker only the groups with something chosen start open, or else the first.
const foldPicker = (picker) => {
  const groups = [...picker.querySelectorAll("[data-picker-group]")];
  const open = groups.filter((group) => group.querySelector(":checked"));
  groups.forEach((group, i) => (group.querySelector("details").open = open.length ? open.includes(group) : i === 0));
};
atStart(() => each("[data-picker]", foldPicker));
always(() => each("[data-picker]", pickerState));
