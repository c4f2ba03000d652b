// Runs one Python file in Pyodide under node, the way `python file.py args…` would: host folders are mounted at
// their own paths, standard output and error pass through byte for byte, the exit code is Python's.
//
//   node pyodide_runner.mjs JOB.json
//
// JOB.json: {"pyodide": folder of the npm package, "main": path of pyodide_main.py, "mounts": [[path, real path], …],
//            "env": {…}, "job": what pyodide_main.py's main() is given}
import { readFileSync, readSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const FATAL = 70; // EX_SOFTWARE of sysexits.h: Pyodide itself broke, which no Python exit code says.

const task = JSON.parse(readFileSync(process.argv[2], "utf8"));
const pause = new Int32Array(new SharedArrayBuffer(4));

// process.stdout would lose what is still queued when the process ends; a pipe may be non-blocking and full.
function writer(descriptor) {
  return {
    isatty: false,
    write(buffer) {
      let done = 0;
      while (done < buffer.length) {
        try {
          done += writeSync(descriptor, buffer, done);
        } catch (error) {
          if (error.code !== "EAGAIN") throw error;
          Atomics.wait(pause, 0, 0, 5);
        }
      }
      return buffer.length;
    },
  };
}

const reader = {
  isatty: false,
  read(buffer) {
    for (;;) {
      try {
        return readSync(0, buffer, 0, buffer.length, null);
      } catch (error) {
        if (error.code === "EOF") return 0;
        if (error.code !== "EAGAIN") throw error;
        Atomics.wait(pause, 0, 0, 5);
      }
    }
  },
};

function mount(fs, path, real) {
  fs.mkdirTree(path);
  fs.mount(fs.filesystems.NODEFS, { root: real }, path);
}

async function run() {
  const { loadPyodide } = await import(pathToFileURL(`${task.pyodide}/pyodide.mjs`).href);
  const pyodide = await loadPyodide({ indexURL: `${task.pyodide}/`, env: { HOME: "/home/pyodide", ...task.env } });
  pyodide.setStdin(reader);
  pyodide.setStdout(writer(1));
  pyodide.setStderr(writer(2));
  for (const [path, real] of task.mounts) mount(pyodide.FS, path, real);
  const scope = pyodide.globals.get("dict")();
  scope.set("__name__", "pyodide_main");
  scope.set("job", JSON.stringify(task.job));
  await pyodide.runPythonAsync(readFileSync(task.main, "utf8"), { globals: scope });
  return await pyodide.runPythonAsync("await main(job)", { globals: scope });
}

let code = FATAL;
try {
  code = await run();
} catch (error) {
  writer(2).write(Buffer.from(`Pyodide failed: ${error?.stack ?? error}\n`));
}
process.exit(code);
