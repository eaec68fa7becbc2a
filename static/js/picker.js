// Event picker: search, whole groups, all or none. It counts what is chosen.
const groupState = (group) => {
  const box = group.querySelector("[data-group]");
  const types = [...group.querySelectorAll("[data-type]")];
  const chosen = types.filter((type) => type.checked).length;
  box.indeterminate = !box.checked && chosen > 0;
  types.forEach((type) => (type.disabled = box.checked));
  const count = group.querySelector("[data-count]");
  if (count) count.textContent = box.checked ? `all ${types.length}` : chosen ? `${chosen} of ${types.length}` : `${types.length}`;
};
const pickerState = (picker) => {
  each("[data-picker-group]", groupState, picker);
  const types = picker.querySelectorAll("[data-type]");
  let chosen = 0;
  each("[data-picker-group]", (group) => {
    const whole = group.querySelector("[data-group]").checked;
    chosen += group.querySelectorAll(whole ? "[data-type]" : "[data-type]:checked").length;
  }, picker);
  const word = picker.closest("fieldset")?.querySelector("[data-chosen]");
  if (word) word.textContent = `${chosen} of ${types.length} chosen`;
};
on("change", "[data-picker] input", (input) => pickerState(input.closest("[data-picker]")));
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
on("keydown", "[data-picker-search]", (_, event) => event.key === "Enter" && event.preventDefault());
on("click", "[data-picker-expand]", (button) =>
  each("details", (details) => (details.open = true), button.closest("[data-picker]")));
on("click", "[data-picker-clear]", (button) => {
  const picker = button.closest("[data-picker]");
  each("[data-type], [data-group]", (box) => (box.checked = false), picker);
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
