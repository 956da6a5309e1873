/**
 * A module to preload: every write to a file, and every wait for the disk, takes as many milliseconds as the file
 * `disk` in the working folder says.
 *
 * @module
 */

const { prototype } = Deno.FsFile;
const { writeSync, syncDataSync, syncData } = prototype;
const cell = new Int32Array(new SharedArrayBuffer(4));

function time(): number {
  return parseInt(Deno.readTextFileSync("disk"));
}

function pause(): void {
  Atomics.wait(cell, 0, 0, time());
}

prototype.writeSync = function (bytes) {
  pause();
  return writeSync.call(this, bytes);
};

prototype.syncDataSync = function () {
  pause();
  syncDataSync.call(this);
};

prototype.syncData = async function () {
  await new Promise((resolve) => setTimeout(resolve, time()));
  await syncData.call(this);
};
