// A sent form's button says so until the answer is there.
document.addEventListener("submit", (event) => {
  const button = event.submitter ?? event.target.querySelector("[type=submit]");
  if (event.defaultPrevented && !event.target.matches("[hx-post], [hx-get]")) return;
  if (event.target.method === "post") button?.setAttribute("aria-busy", "true");
});
const rest = () => each("[aria-busy=true][type=submit]", (button) => button.removeAttribute("aria-busy"));
document.addEventListener("htmx:finally:request", rest);
window.addEventListener("pageshow", rest);
on("click", "[aria-disabled=true]", (button, event) => event.preventDefault());

// What was changed is no longer called wrong, beside the field and in the list above the form. Nothing is taken out of
// the page: what is just being clicked would move away.
const noLongerWrong = (part) => {
  each(".form-error", (fault) => fault.classList.add("past"), part);
  each("[aria-invalid]", (field) => field.removeAttribute("aria-invalid"), part);
  const summary = part.closest("form").querySelector(".summary");
  if (!summary) return;
  each("li", (line) => part.contains(document.getElementById(line.querySelector("a").hash.slice(1))) && line.classList.add("past"), summary);
  const left = summary.querySelectorAll("li:not(.past)").length;
  summary.classList.toggle("past", left === 0);
  summary.querySelector("h2").textContent =
    left === 0 ? "All of this was changed: save again" : left === 1 ? "1 thing needs another look" : `${left} things need another look`;
};
on("change", "form .header-row, form .form-field, form fieldset", noLongerWrong);

// Data is called right as soon as it is; what is wrong with it the server says after a pause.
const isObject = (text) => {
  try {
    return /^\s*{/.test(text) && Boolean(JSON.parse(text));
  } catch {
    return false;
  }
};
on("input", "[data-json]", (field) => isObject(field.value) && noLongerWrong(field.closest(".form-field")));

// Filters that aren't set stay out of the address, and two moments where they aren't asked for.
document.addEventListener("formdata", (event) => {
  if (!event.target.matches(".filter-row, form.find")) return;
  const between = event.formData.get("time") === "range";
  for (const [name, value] of [...event.formData])
    if (value === "" || (!between && (name === "from" || name === "to"))) event.formData.delete(name);
});

// Header rows: the next empty row appears when asked for; a removed one is emptied and hidden.
on("click", "[data-add-row]", (button) => {
  const row = button.closest("fieldset").querySelector(".header-row.spare");
  if (!row) return say("That is all: 10 headers.");
  row.classList.remove("spare");
  row.querySelector("input").focus();
});
on("click", "[data-remove-row]", (button) => {
  const row = button.closest(".header-row");
  each("input", (input) => (input.value = ""), row);
  row.classList.add("spare");
  row.dispatchEvent(new Event("change", { bubbles: true }));
});

// A form that comes back with faults is read from their list on; from the one wrong field where there is no list.
// With its page it has the focus already (autofocus).
const firstFault = () => document.querySelector(".summary, .summary-both") ?? document.querySelector("[aria-invalid=true]");
const focusFault = () => firstFault()?.focus();
atStart(() => firstFault()?.autofocus || focusFault());
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail?.ctx?.sourceElement?.matches?.("form[hx-post]")) focusFault();
});

// A check that came back below its field says whether the field is wrong.
always(() =>
  each(".form-checks.reserved", (checks) => {
    const field = checks.closest(".form-field").querySelector(".entry");
    if (checks.querySelector(".form-error:not(.past)")) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }));
