/**
 * Servers that may use no more than a part of a processor each, by Linux's control groups: so there is something left for
 * the load where servers share processors with it.
 *
 * @module
 */

import { run } from "../../tests/kit/command.ts";

/** In how much time a server has its part, microseconds. */
const PERIOD = 100_000;
/** Where groups are: of their second version, and, where it is there, of the first. */
const ROOT = "/sys/fs/cgroup";
const FIRST_ROOT = "/sys/fs/cgroup/cpu";

/** A group for one server. */
export class Hold implements AsyncDisposable {
  private constructor(readonly path: string) {}

  /** Makes one. @param percent Of a processor. @throws {Error} where that can't be, as for who isn't the superuser. */
  static async make(percent: number): Promise<Hold> {
    const quota = `${percent / 100 * PERIOD}`;
    const name = `chat-bench-${crypto.randomUUID()}`;
    const make =
      `if [ -d ${FIRST_ROOT} ]; then path=${FIRST_ROOT}/$2; mkdir $path
      echo ${PERIOD} > $path/cpu.cfs_period_us; echo $1 > $path/cpu.cfs_quota_us
      else path=${ROOT}/$2; mkdir $path; echo $1 ${PERIOD} > $path/cpu.max; fi
      echo $path`;
    const path = await run("sh", "-e", "-c", make, "sh", quota, name);
    return new Hold(path.trim());
  }

  /** Words that start a command in it, which becomes the process that they start. */
  get prefix(): string[] {
    const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    return ["sh", "-c", enter, this.path];
  }

  /** Removes it, once nothing runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("rmdir", this.path);
  }
}
