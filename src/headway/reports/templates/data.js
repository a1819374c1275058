"use strict";
// Filters the rows that stand in the page already; without a script all of them are shown.
const STEP = 50;
const rows = [...document.querySelectorAll("#rows > li")];
const texts = rows.map(row => row.querySelector(".texts").textContent.toLowerCase());
const search = document.getElementById("search");
const selects = [...document.querySelectorAll("select[data-key]")];
const marked = document.getElementById("marked");
const more = document.getElementById("more");
const status_ = document.getElementById("status");
let shown = STEP;

function show() {
  const wanted = search.value.trim().toLowerCase();
  const chosen = selects.filter(select => select.selectedIndex > 0);
  let found = 0;
  rows.forEach((row, place) => {
    const fits = texts[place].includes(wanted)
      && chosen.every(select => row.getAttribute("data-" + select.dataset.key) === select.value)
      && (!marked.checked || row.classList.contains("marked"));
    found += fits;
    row.hidden = !fits || found > shown;
  });
  const visible = Math.min(found, shown);
  status_.textContent = `${visible} of ${found} rows shown.`;
  more.hidden = found <= shown;
}

function again() { shown = STEP; show(); }

search.addEventListener("input", again);
for (const control of [...selects, marked]) control.addEventListener("change", again);
more.addEventListener("click", () => {
  const first = rows.filter(row => !row.hidden).length;
  shown += STEP;
  show();
  const next = rows.filter(row => !row.hidden)[first];
  if (next) { next.tabIndex = -1; next.focus(); }
});
document.getElementById("browser").hidden = false;
show();
