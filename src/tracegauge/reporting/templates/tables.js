// Sorts and filters the tables of a report. Without it every row is there, in the order of the matrix.
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const up = heading.getAttribute("aria-sort") !== "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      for (const body of table.tBodies) sortRows(body, column, up);
    });
  });
}
function sortRows(body, column, up) {
  const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
  rows.sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === "" || b === "") return (a === "") - (b === ""); // what has no number stays last
    return (up ? 1 : -1) * (isNaN(a) || isNaN(b) ? a.localeCompare(b, "en", { numeric: true }) : a - b);
  });
  body.append(...rows);
}
for (const form of document.querySelectorAll("form.filter")) {
  const rows = [...document.querySelectorAll(`#${form.dataset.rows} tbody tr:not(.group)`)];
  const choices = [...form.querySelectorAll("select")];
  const apply = () => {
    for (const row of rows) row.hidden = choices.some((c) => c.value && row.dataset[c.name] !== c.value);
    for (const group of document.querySelectorAll(`#${form.dataset.rows} tr.group`))
      group.hidden = [...group.parentElement.rows].every((row) => row === group || row.hidden);
    form.querySelector("output").value = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
  };
  form.hidden = false;
  form.addEventListener("change", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  apply();
}
