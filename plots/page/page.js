// What the page can do beyond being read: chips that hide contenders, workloads and runs, a base
// that turns figures into ratios, sorting, hovering. The page is complete without it.
//
// All state is in `state`, and the address's fragment keeps it; apply() makes the page agree with
// it. Names come from files: they are only ever put into the page as text.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const KINDS = ["contender", "workload", "run"];
  const SCALES = ["log", "linear"];
  const state = {
    off: {contender: new Set(), workload: new Set(), run: new Set()},
    base: "",      // contender that figures are divided by
    scale: "",     // of charts: "log", "linear", or each as it is drawn
    dull: false,   // whether rows that cannot tell are shown
    sort: [],      // [table, column, 1 or -1], the newest last
    at: "",        // heading that the address points to
  };
  const names = {
    contender: data.contenders.map((each) => each.name),
    workload: data.workloads,
    run: data.runs,
  };
  const tables = [...document.querySelectorAll("table")];
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // --- The address.

  const read = () => {
    const fragment = location.hash.slice(1);
    if (!fragment.includes("=")) {
      state.at = decodeURIComponent(fragment);
      return;
    }
    const fields = new URLSearchParams(fragment);
    for (const kind of KINDS) {
      state.off[kind] = new Set(fields.getAll("hide-" + kind).filter(
        (name) => names[kind].includes(name)));
    }
    state.base = names.contender.includes(fields.get("base")) ? fields.get("base") : "";
    state.scale = SCALES.includes(fields.get("scale")) ? fields.get("scale") : "";
    state.dull = fields.get("all") === "1";
    state.sort = fields.getAll("sort").map((text) => text.split(".").map(Number)).filter(
      ([table, column, direction]) => tables[table]?.tHead?.rows[0].cells[column] !== undefined
        && Math.abs(direction) === 1);
    state.at = fields.get("at") ?? "";
  };

  const write = () => {
    const fields = new URLSearchParams();
    for (const kind of KINDS) {
      for (const name of state.off[kind]) fields.append("hide-" + kind, name);
    }
    if (state.base) fields.set("base", state.base);
    if (state.scale) fields.set("scale", state.scale);
    if (state.dull) fields.set("all", "1");
    for (const entry of state.sort) fields.append("sort", entry.join("."));
    const chosen = fields.toString() !== "";
    if (state.at) fields.set("at", state.at);
    const fragment = chosen ? fields.toString() : encodeURIComponent(state.at);
    history.replaceState(null, "", fragment ? "#" + fragment : location.pathname + location.search);
  };

  // --- Ratios.

  const ratioText = (ratio) => {
    const digits = ratio >= 100 ? 0 : ratio >= 10 ? 1 : ratio >= 0.1 ? 2 : 4;
    return ratio.toLocaleString("en", {minimumFractionDigits: Math.min(digits, 2),
                                       maximumFractionDigits: digits}) + " x";
  };

  const showRatios = () => {
    for (const table of document.querySelectorAll("table.figures")) {
      const rows = [...table.tBodies[0].rows];
      const base = rows.find((row) => row.dataset.contender === state.base);
      for (const row of rows) {
        for (const cell of row.cells) {
          if (cell.dataset.v === undefined) continue;
          cell.original ??= [...cell.childNodes];
          const divisor = Number(base?.cells[cell.cellIndex].dataset.v ?? NaN);
          if (state.base === "") {
            cell.replaceChildren(...cell.original);
            cell.removeAttribute("title");
          } else {
            cell.title = cell.original.map((node) => node.textContent).join("");
            cell.textContent = divisor > 0 ? ratioText(Number(cell.dataset.v) / divisor)
                                           : "no base";
          }
        }
      }
    }
  };

  // --- Sorting.

  const keyOf = (cell) => {
    if (cell === undefined || cell.textContent === "") return null;
    return cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
  };

  // Numbers before words; what is empty comes last either way.
  const compare = (a, b, direction) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return direction * (a - b);
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return direction * a.localeCompare(b, "en", {numeric: true});
  };

  const sortTables = () => {
    for (const header of document.querySelectorAll("th[aria-sort]")) {
      header.removeAttribute("aria-sort");
    }
    for (const [number, column, direction] of state.sort) {
      const body = tables[number].tBodies[0];
      const rows = [...body.rows].map((row) => [keyOf(row.cells[column]), row]);
      rows.sort((a, b) => compare(a[0], b[0], direction));
      body.append(...rows.map(([, row]) => row));
      tables[number].tHead.rows[0].cells[column].setAttribute(
        "aria-sort", direction > 0 ? "ascending" : "descending");
    }
  };

  const chooseSort = (table, column) => {
    const number = tables.indexOf(table);
    const current = state.sort.find((entry) => entry[0] === number);
    const direction = current?.[1] === column ? -current[2] : 1;
    state.sort = state.sort.filter((entry) => entry[0] !== number);
    state.sort.push([number, column, direction]);
    change();
  };

  // --- Chips.

  const hideAndShow = () => {
    for (const kind of KINDS) {
      for (const element of document.querySelectorAll(`[data-${kind}]`)) {
        if (element.closest("#chips")) continue;
        const hidden = KINDS.some((each) => state.off[each].has(element.dataset[each]));
        element.classList.toggle("off", hidden);
      }
    }
    for (const chip of document.querySelectorAll("#chips [data-kind]")) {
      chip.setAttribute("aria-pressed", !state.off[chip.dataset.kind].has(chip.dataset.name));
    }
  };

  const chip = (kind, name, family) => {
    const button = make("button", {type: "button"});
    button.dataset.kind = kind;
    button.dataset.name = name;
    if (family) {
      button.dataset.contender = name;
      const dot = make("span", {className: "dot"});
      dot.style.background = `var(--chart-${family})`;
      button.append(dot);
    }
    button.append(name);
    button.addEventListener("click", () => {
      const off = state.off[kind];
      if (!off.delete(name)) off.add(name);
      change();
    });
    return button;
  };

  const action = (text, act) => {
    const button = make("button", {type: "button"}, text);
    button.addEventListener("click", () => { act(); change(); });
    return button;
  };

  const chipRow = (kind, title, families) => {
    if (names[kind].length < 2) return [];
    return [make("div", {}, title, ...names[kind].map((name, i) => chip(kind, name, families?.[i])),
                 action("all", () => state.off[kind].clear()),
                 action("none", () => { state.off[kind] = new Set(names[kind]); }))];
  };

  const base = make("select", {id: "base"}, make("option", {value: ""}, "figures"),
                    ...names.contender.map((name) => make("option", {value: name},
                                                          "ratios to " + name)));
  base.addEventListener("change", () => { state.base = base.value; change(); });
  const scale = make("select", {id: "scale"}, make("option", {value: ""}, "as drawn"),
                     make("option", {value: "log"}, "logarithmic where they can be"),
                     make("option", {value: "linear"}, "linear where they can be"));
  scale.addEventListener("change", () => { state.scale = scale.value; change(); });
  const hasScales = Object.keys(data.scales ?? {}).length > 0;
  const dullRows = document.querySelectorAll("tr.dull").length;
  const dull = action("", () => { state.dull = !state.dull; });
  dull.id = "dull";
  const toolbar = make("div", {id: "chips"},
                       ...chipRow("contender", "Contenders: ",
                                  data.contenders.map((each) => each.family)),
                       ...chipRow("workload", "Workloads: "), ...chipRow("run", "Runs: "),
                       make("div", {}, "Tables show ", base, ...(dullRows ? [dull] : []),
                            ...(hasScales ? ["Charts are ", scale] : [])));

  // --- Hovering.

  const tip = make("div", {id: "tip", hidden: true});
  const takeTitles = (figure) => {
    for (const group of figure.querySelectorAll("svg [data-contender]")) {
      const title = group.querySelector(":scope > title");
      group.dataset.tip = title?.textContent || group.dataset.contender;
      title?.remove();  // the browser would show it, too, and late
    }
  };
  takeTitles(document);
  const rows = [...document.querySelectorAll("tr[data-contender]")];
  let lifted = null;
  const lift = (name) => {
    if (name === lifted) return;
    lifted = name;
    for (const group of document.querySelectorAll("svg [data-contender]")) {
      group.classList.toggle("dim", name !== null && group.dataset.contender !== name);
    }
    for (const row of rows) row.classList.toggle("lifted", row.dataset.contender === name);
  };
  const hover = (event) => {
    const target = event.target.closest("[data-contender]");
    lift(target?.dataset.contender ?? null);
    tip.hidden = target?.dataset.tip === undefined;
    if (tip.hidden) return;
    tip.textContent = target.dataset.tip;
    tip.style.left = tip.style.top = "0";  // a narrow place would make it higher than it is
    const {clientWidth, clientHeight} = document.documentElement;  // without scroll bars
    const left = Math.min(event.clientX + 14, clientWidth - tip.offsetWidth - 4);
    const top = Math.min(event.clientY + 14, clientHeight - tip.offsetHeight - 4);
    tip.style.left = Math.max(0, left) + "px";
    tip.style.top = Math.max(0, top) + "px";
  };

  // --- Scales.

  // The other scale of a chart is packed on the page, and unpacked when it is first asked for.
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  const drawnOn = new Map();  // of each figure that has both scales: its pictures by scale
  for (const figure of document.querySelectorAll("figure[data-scale]")) {
    drawnOn.set(figure, {[figure.dataset.scale]: figure.querySelector("svg")});
  }
  const showScale = async (figure, pictures) => {
    const own = figure.dataset.scale;
    const wanted = state.scale || own;
    if (pictures[wanted] === undefined) {
      pictures[wanted] = null;  // under way
      const template = make("template", {innerHTML: await unpack(data.scales[figure.id])});
      takeTitles(template.content);
      pictures[wanted] = template.content.querySelector("svg");
    }
    // What was asked for meanwhile counts.
    const picture = pictures[state.scale || own];
    if (!picture) return;
    figure.querySelector(".chart").replaceChildren(picture);
    hideAndShow();
  };
  const showScales = () => {
    for (const [figure, pictures] of drawnOn) showScale(figure, pictures);
  };

  // --- All of it.

  const apply = () => {
    document.body.classList.toggle("fold", !state.dull);
    base.value = state.base;
    scale.value = state.scale;
    dull.textContent = (state.dull ? "fold " : "show ") + dullRows + " rows that cannot tell";
    hideAndShow();
    showRatios();
    showScales();
    sortTables();
  };
  const change = () => { apply(); write(); };
  const follow = () => document.getElementById(state.at)?.scrollIntoView();

  document.documentElement.classList.add("script");
  const contents = document.getElementById("contents");
  contents.before(toolbar);
  document.body.append(tip);
  document.addEventListener("pointerover", hover);
  document.addEventListener("click", (event) => {
    const header = event.target.closest("thead th");
    if (header) chooseSort(header.closest("table"), header.cellIndex);
  });
  for (const header of document.querySelectorAll("thead th")) header.tabIndex = 0;
  document.addEventListener("keydown", (event) => {
    const header = event.key === "Enter" ? event.target.closest?.("thead th") : null;
    if (header) chooseSort(header.closest("table"), header.cellIndex);
  });
  // Not every browser prints what is folded.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open], .screen)")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of opened) each.open = false; });
  // A link within the page replaces the fragment: put the selection back.
  addEventListener("hashchange", () => { read(); apply(); write(); follow(); });
  read();
  apply();
  if (location.hash.includes("=")) follow();
})();
