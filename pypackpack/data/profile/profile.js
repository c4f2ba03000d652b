"use strict";
// What is drawn comes from the JSON in the element "data"; names in it are foreign text and only ever become text nodes.
(function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const [NAME, STEP, TARGET, SOURCE, START, END, WORKER, REASON, ASKED, UNSTABLE] = data.columns.map((_, index) => index);
  const tasks = data.tasks;
  const text = (index) => data.strings[index];
  const get = (id) => document.getElementById(id);
  const worked = (task) => data.worked.includes(data.sources[task[SOURCE]]);
  const length = (task) => task[END] - task[START];
  const LINES = 300; // rows of the table of tasks: more of them nobody reads, and a browser becomes slow
  const LINKS = 40; // rows of the table of the critical path
  const ROW = 22, GAP = 3, TOP = 24, LEFT = 34, TICKS = 14;

  function make(tag, words, kind) {
    const element = document.createElement(tag);
    if (words !== undefined) element.textContent = words;
    if (kind) element.className = kind;
    return element;
  }

  function seconds(value) {
    if (value < 0.0995) return (value * 1000).toFixed(value < 0.00995 ? 1 : 0) + " ms";
    if (value < 59.95) return value.toFixed(value < 9.995 ? 2 : 1) + " s";
    const whole = Math.round(value);
    if (whole >= 3600) return Math.floor(whole / 3600) + " h " + Math.round((whole % 3600) / 60) + " min";
    return Math.floor(whole / 60) + " min " + (whole % 60) + " s";
  }

  function percent(part, whole) {
    return whole > 0 ? Math.round((100 * part) / whole) + " %" : "–";
  }

  // ---- numbers -------------------------------------------------------------------------------------------------------

  get("command").textContent = data.command;
  get("about").textContent = data.about;
  if (data.error) {
    get("error").textContent = data.error;
    get("error").hidden = false;
  }

  function number(label, value, more) {
    const box = make("div");
    box.append(make("dt", label));
    const shown = make("dd", value);
    if (more) shown.append(make("small", more));
    box.append(shown);
    get("numbers").append(box);
  }

  const counts = data.counts;
  const total = tasks.length;
  const known = counts.store + counts.remote + counts.twin;
  const pathSeconds = data.path.reduce((sum, link) => sum + length(tasks[link[0]]), 0);
  number("Wall time", seconds(data.wall), data.cpu === null ? "" : "processor " + seconds(data.cpu));
  number("Tasks", String(total), counts.run + " ran" + (counts.failed ? ", " + counts.failed + " failed" : "") + (counts.skipped ? ", " + counts.skipped + " skipped" : ""));
  number("Known already", percent(known, total), counts.store + " here, " + counts.remote + " remote, " + counts.twin + " twice");
  number("Workers", String(data.workers), "busy " + percent(data.busy, data.wall * data.workers));
  number("Work", seconds(data.busy), data.wall > 0 ? (data.busy / data.wall).toFixed(1) + " at a time" : "");
  number("Critical path", seconds(pathSeconds), data.path.length + (data.path.length === 1 ? " task; " : " tasks; ") + "by needs alone " + seconds(data.longest));

  // ---- colours -------------------------------------------------------------------------------------------------------

  let palette = {};
  function readPalette() {
    const style = getComputedStyle(document.documentElement);
    const one = (name) => style.getPropertyValue(name).trim() || "#888888";
    palette = { text: one("--text"), dim: one("--dim"), line: one("--line"), bad: one("--bad"), accent: one("--accent"), ground: one("--ground"), steps: data.steps.map((_, index) => one("--c" + (index % 8))) };
  }
  readPalette();

  function legend() {
    get("legend").replaceChildren(...data.steps.map((step, index) => {
      const entry = make("span");
      const box = make("i");
      box.style.background = palette.steps[index];
      entry.append(box, make("span", step.step));
      if (step.summary) entry.title = step.summary;
      return entry;
    }));
  }
  legend();

  // ---- timeline ------------------------------------------------------------------------------------------------------

  const canvas = get("timeline");
  const pen = canvas.getContext ? canvas.getContext("2d") : null;
  const workers = [...new Set(tasks.filter(worked).map((task) => task[WORKER]))].sort((a, b) => a - b);
  const rowOf = new Map(workers.map((worker, index) => [worker, index]));
  const lanes = workers.map(() => []);
  tasks.forEach((task, index) => {
    if (worked(task)) lanes[rowOf.get(task[WORKER])].push(index);
  });
  lanes.forEach((lane) => lane.sort((a, b) => tasks[a][START] - tasks[b][START]));
  const hits = tasks.map((_, index) => index).filter((index) => !worked(tasks[index]) && data.sources[tasks[index][SOURCE]] !== "skipped");
  const onPath = new Set(data.path.map((link) => link[0]));
  const end = Math.max(data.wall, 0.001, ...lanes.map((lane) => lane.reduce((most, index) => Math.max(most, tasks[index][END]), 0)));
  const view = { from: 0, to: end };
  let wide = 800, chosen = -1;

  function tall() {
    return TOP + (hits.length ? TICKS + GAP : 0) + Math.max(lanes.length, 1) * (ROW + GAP) + GAP;
  }
  function laneTop(row) {
    return TOP + (hits.length ? TICKS + GAP : 0) + row * (ROW + GAP);
  }
  function across(time) {
    return LEFT + ((time - view.from) / (view.to - view.from)) * (wide - LEFT - 4);
  }
  function timeAt(x) {
    return view.from + ((x - LEFT) / (wide - LEFT - 4)) * (view.to - view.from);
  }

  function axisStep(span) {
    const rough = span / Math.max(2, wide / 110);
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough);
  }

  function drawAxis() {
    const step = axisStep(view.to - view.from);
    pen.fillStyle = palette.dim;
    pen.strokeStyle = palette.line;
    pen.beginPath();
    for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
      const x = Math.round(across(time)) + 0.5;
      pen.moveTo(x, TOP - 4);
      pen.lineTo(x, tall());
      pen.fillText(step < 1 ? time.toFixed(Math.min(4, Math.ceil(-Math.log10(step)))) + " s" : Math.round(time) + " s", x + 3, 12);
    }
    pen.stroke();
  }

  function drawLane(row) {
    const lane = lanes[row], top = laneTop(row);
    pen.fillStyle = palette.dim;
    pen.fillText(String(workers[row]), 6, top + ROW - 7);
    let filledTo = -1;
    for (const index of lane) {
      const task = tasks[index];
      if (task[END] < view.from) continue;
      if (task[START] > view.to) break;
      const left = Math.max(across(task[START]), LEFT), right = Math.min(across(task[END]), wide);
      if (right - left < 1 && left < filledTo && index !== chosen) continue; // many tiny ones in one pixel: one is drawn
      const width = Math.max(right - left, 1);
      filledTo = left + 1;
      const failed = data.sources[task[SOURCE]] === "failed";
      pen.fillStyle = failed ? palette.bad : palette.steps[task[STEP]];
      pen.fillRect(left, top, Math.max(width - (width > 3 ? 1 : 0), 1), ROW);
      if (onPath.has(index)) {
        pen.fillStyle = palette.text;
        pen.fillRect(left, top + ROW - 3, width, 3);
      }
      if (width > 46) {
        pen.save();
        pen.beginPath();
        pen.rect(left, top, width - 4, ROW);
        pen.clip();
        pen.fillStyle = palette.ground;
        pen.fillText(text(task[NAME]).replace(/^\S+ /, ""), left + 4, top + 14);
        pen.restore();
      }
      if (index === chosen) {
        pen.strokeStyle = palette.text;
        pen.lineWidth = 2;
        pen.strokeRect(left, top, width, ROW);
        pen.lineWidth = 1;
      }
    }
  }

  function draw() {
    if (!pen) return;
    const ratio = window.devicePixelRatio || 1;
    wide = canvas.clientWidth || 800;
    canvas.style.height = tall() + "px";
    canvas.width = Math.round(wide * ratio);
    canvas.height = Math.round(tall() * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, wide, tall());
    pen.font = "11px system-ui, sans-serif";
    drawAxis();
    if (hits.length) {
      let last = -1;
      for (const index of hits) {
        const x = Math.round(across(tasks[index][END]));
        if (x === last || x < LEFT || x > wide) continue;
        last = x;
        pen.fillStyle = palette.steps[tasks[index][STEP]];
        pen.fillRect(x, TOP, 2, TICKS);
      }
      pen.fillStyle = palette.dim;
      pen.fillText("known", 1, TOP + 11);
    }
    lanes.forEach((_, row) => drawLane(row));
  }

  function taskAt(x, y) {
    const row = Math.floor((y - laneTop(0)) / (ROW + GAP));
    if (row < 0 || row >= lanes.length || x < LEFT) return -1;
    const lane = lanes[row], time = timeAt(x), slack = ((view.to - view.from) / wide) * 2;
    let low = 0, high = lane.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (tasks[lane[middle]][START] <= time + slack) low = middle; else high = middle - 1;
    }
    const index = lane[low];
    return index !== undefined && tasks[index][START] <= time + slack && tasks[index][END] >= time - slack ? index : -1;
  }

  function show(from, to) {
    const span = Math.min(Math.max(to - from, end / 1e6), end);
    view.from = Math.min(Math.max(from, 0), end - span);
    view.to = view.from + span;
    draw();
  }

  let dragged = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const middle = timeAt(place(event)[0]), factor = Math.exp(Math.sign(event.deltaY) * 0.25);
    show(middle - (middle - view.from) * factor, middle + (view.to - middle) * factor);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => { dragged = { x: event.clientX, from: view.from, to: view.to, moved: false }; });
  window.addEventListener("pointerup", (event) => {
    const was = dragged;
    dragged = null;
    if (was && !was.moved && event.target === canvas) choose(taskAt(...place(event)));
  });
  window.addEventListener("pointermove", (event) => {
    if (dragged) {
      const shift = ((dragged.x - event.clientX) / (wide - LEFT)) * (dragged.to - dragged.from);
      dragged.moved = dragged.moved || Math.abs(dragged.x - event.clientX) > 3;
      if (dragged.moved) show(dragged.from + shift, dragged.to + shift);
    } else if (event.target === canvas) {
      const index = taskAt(...place(event));
      get("pointed").textContent = index < 0 ? "\u00a0" : text(tasks[index][NAME]) + " – " + seconds(length(tasks[index]));
    }
  });
  canvas.addEventListener("keydown", (event) => {
    const span = view.to - view.from;
    if (event.key === "+") show(view.from + span / 4, view.to - span / 4);
    else if (event.key === "-") show(view.from - span / 2, view.to + span / 2);
    else if (event.key === "ArrowLeft") show(view.from - span / 4, view.to - span / 4);
    else if (event.key === "ArrowRight") show(view.from + span / 4, view.to + span / 4);
    else return;
    event.preventDefault();
  });
  get("whole").addEventListener("click", () => show(0, end));
  window.addEventListener("resize", draw);
  if (window.matchMedia) {
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readPalette(); legend(); draw(); });
  }

  // ---- one task ------------------------------------------------------------------------------------------------------

  const BECAME = { run: "ran", store: "known on this machine", remote: "from the remote cache", twin: "the same as another task of this run", failed: "failed", skipped: "did not run: what it needs failed" };

  function choose(index) {
    chosen = index;
    draw();
    get("details").hidden = index < 0;
    if (index < 0) return;
    const task = tasks[index], source = data.sources[task[SOURCE]];
    get("details-name").textContent = text(task[NAME]);
    const facts = [["What became of it", BECAME[source] || source]];
    if (task[REASON] >= 0) facts.push(["Why it ran", text(task[REASON])]);
    if (task[ASKED] >= 0) facts.push(["For", text(task[ASKED])]);
    if (worked(task)) facts.push(["Took", seconds(length(task)) + ", from " + seconds(task[START]) + " on, worker " + task[WORKER]]);
    if (task[UNSTABLE]) facts.push(["Not reproducible", "it left something else behind than the time before"]);
    if (data.errors[index]) facts.push(["Error", data.errors[index]]);
    get("details-facts").replaceChildren(...facts.flatMap(([label, value]) => [make("dt", label), make("dd", value)]));
    get("details-output").hidden = !data.outputs[index];
    get("details-output").textContent = data.outputs[index] || "";
  }

  // ---- tables --------------------------------------------------------------------------------------------------------

  function fill(table, heads, rows) {
    const head = make("thead"), line = make("tr"), body = make("tbody");
    line.append(...heads.map(([words, kind]) => make("th", words, kind)));
    head.append(line);
    for (const row of rows) {
      const shown = make("tr");
      shown.append(...row.cells.map((words, column) => make("td", words, row.kinds && row.kinds[column] ? row.kinds[column] : heads[column][1])));
      if (row.task !== undefined) {
        shown.className = "link";
        shown.tabIndex = 0;
        shown.addEventListener("click", () => { choose(row.task); get("details").scrollIntoView({ block: "nearest" }); });
        shown.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(row.task); });
      }
      body.append(shown);
    }
    table.replaceChildren(head, body);
  }

  const used = data.sources.filter((source) => data.steps.some((step) => step.counts[source]));
  const HEADS = { run: "ran", store: "known here", remote: "remote", twin: "twice", failed: "failed", skipped: "skipped" };
  fill(get("steps"), [["step", "name"], ["what it does", "dim"], ...used.map((source) => [HEADS[source], "number"]), ["time", "number"]],
    data.steps.map((step) => ({ cells: [step.step, step.summary, ...used.map((source) => String(step.counts[source] || "")), seconds(step.seconds)] })));

  // Of a long path the longest links, in their order; a small build shows all of it.
  const longest = new Set([...data.path].sort((a, b) => length(tasks[b[0]]) - length(tasks[a[0]])).slice(0, LINKS));
  const links = data.path.filter((link) => longest.has(link));
  const queued = data.path.filter((link) => link[1] === "after").length;
  get("path-more").textContent = (links.length < data.path.length ? "The " + LINKS + " longest of " + data.path.length + " tasks. " : "") +
    (data.path.length > 4 && queued > data.path.length / 2 && data.longest < pathSeconds / 2 ? "Most of them waited for a worker: more cores, or more of it in a shared cache, would make this faster." : "");
  fill(get("path"), [["began", "number"], ["took", "number"], ["task", "name"], ["", "dim"]],
    links.map(([index, how, waited]) => ({
      task: index,
      cells: [seconds(tasks[index][START]), seconds(length(tasks[index])), text(tasks[index][NAME]),
        how === "needs" ? "needs the one before" : how === "after" ? "began when the one before had ended" : waited > 0.001 ? "after " + seconds(waited) + " of preparation" : ""],
    })));

  const choices = [["", "all"], ...used.map((source) => [source, HEADS[source]])];
  get("what").append(...choices.map(([value, words]) => {
    const option = make("option", words);
    option.value = value;
    return option;
  }));

  function listTasks() {
    const wanted = get("find").value.toLowerCase(), source = get("what").value, order = get("order").value;
    const found = [];
    tasks.forEach((task, index) => {
      if ((!source || data.sources[task[SOURCE]] === source) && (!wanted || text(task[NAME]).toLowerCase().includes(wanted))) found.push(index);
    });
    if (order === "name") found.sort((a, b) => (text(tasks[a][NAME]) < text(tasks[b][NAME]) ? -1 : 1));
    else if (order === "start") found.sort((a, b) => tasks[a][START] - tasks[b][START]);
    else found.sort((a, b) => length(tasks[b]) - length(tasks[a]));
    fill(get("tasks"), [["took", "number"], ["task", "name"], ["", ""], ["why", "dim"]], found.slice(0, LINES).map((index) => {
      const task = tasks[index], state = data.sources[task[SOURCE]];
      return { task: index, cells: [worked(task) ? seconds(length(task)) : "", text(task[NAME]), (HEADS[state] || state) + (task[UNSTABLE] ? ", not reproducible" : ""), task[REASON] >= 0 ? text(task[REASON]) : ""], kinds: ["", "", state === "failed" || task[UNSTABLE] ? "bad" : "", ""] };
    }));
    get("more").textContent = found.length > LINES ? "The first " + LINES + " of " + found.length + "; find the others by their names." : found.length ? "" : "None.";
  }
  for (const id of ["find", "what", "order"]) get(id).addEventListener("input", listTasks);
  listTasks();
  draw();
})();
