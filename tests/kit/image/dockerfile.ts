/**
 * A Dockerfile, read: its stages, and what each instruction says. Knows the instructions and options that
 * `deploy/Dockerfile` uses, and refuses others, so that nothing in it goes untested.
 *
 * @module
 */

import { assert } from "../assert.ts";

/** One instruction. */
export type Instruction =
  | { readonly kind: "WORKDIR" | "USER" | "VOLUME"; readonly text: string }
  | { readonly kind: "EXPOSE"; readonly ports: readonly number[] }
  | {
    readonly kind: "ENV";
    readonly variables: Readonly<Record<string, string>>;
  }
  | {
    readonly kind: "COPY";
    /** Another stage; the build's context where it is undefined. */
    readonly from: string | undefined;
    /** Whose it is then, as UID:GID. */
    readonly owner: string | undefined;
    readonly sources: readonly string[];
    readonly target: string;
  }
  | { readonly kind: "RUN"; readonly command: string }
  | { readonly kind: "ENTRYPOINT" | "CMD"; readonly words: readonly string[] }
  | { readonly kind: "HEALTHCHECK"; readonly words: readonly string[] };

/** What begins with a FROM. */
export interface Stage {
  /** The image that it goes on from. */
  readonly image: string;
  /** What others call it, where they do. */
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, in order. */
export function parseDockerfile(text: string): Stage[] {
  const lines = text.replace(/^#.*\n/gm, "").replace(/\\\n/g, " ")
    .split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const line of lines) {
    const [, word = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (word === "FROM") {
      const [image = "", , name] = rest.split(" ");
      stages.push({ image, name, instructions: [] });
    } else {
      const stage = stages.at(-1);
      assert(stage, `"${line}" comes before FROM`);
      stage.instructions.push(instruction(word, rest));
    }
  }
  return stages;
}

function instruction(kind: string, rest: string): Instruction {
  switch (kind) {
    case "WORKDIR":
    case "USER":
    case "VOLUME":
      return { kind, text: rest };
    case "EXPOSE":
      return { kind, ports: rest.split(" ").map(Number) };
    case "ENV":
      return {
        kind,
        variables: Object.fromEntries(
          rest.split(" ").map((it) => {
            const [name = "", value = ""] = it.split("=");
            return [name, value];
          }),
        ),
      };
    case "COPY": {
      const words = rest.split(" ");
      const option = (name: string) =>
        words.find((it) => it.startsWith(`--${name}=`))?.split("=")[1];
      const paths = words.filter((it) => !it.startsWith("--"));
      const target = paths.pop() ?? "";
      const [from, owner] = [option("from"), option("chown")];
      return { kind, from, owner, sources: paths, target };
    }
    case "RUN":
      return { kind, command: rest };
    case "ENTRYPOINT":
    case "CMD":
      return { kind, words: JSON.parse(rest) };
    case "HEALTHCHECK":
      return { kind, words: JSON.parse(rest.replace(/^.* ?CMD /, "")) };
    default:
      throw new Error(`The tests don't know ${kind}`);
  }
}
