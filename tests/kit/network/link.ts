/**
 * A line between two network devices, in a process of its own: what is sent into the one comes out of the other,
 * after a while, unless it is lost.
 *
 *     deno run --allow-ffi link.ts DEVICE DEVICE DELAY_MS LOSS_PERCENT
 *
 * Makes the devices, and says "ready". "cut" on standard input loses everything, "mend" nothing more than before;
 * meanwhile each lost packet is a line, "lost". Ends with its input, and the devices with it. For Linux, and for
 * the superuser. Does what `tc netem` does, where the kernel has that or not.
 *
 * @module
 */

import { print } from "../../../src/base/output.ts";

/** `linux/if_tun.h`: attach to a device of IP packets, without a header of their own. */
const TUNSETIFF = 0x400454can;
const IFF_TUN_NO_PI = 0x1001;
/** `struct ifreq`: a name of 16 bytes, then what is asked for. */
const REQUEST_SIZE = 40;
const NAME_SIZE = 16;
const O_RDWR = 2;
/** More than any packet has, bytes. */
const PACKET_SIZE = 65_536;

const libc = Deno.dlopen("libc.so.6", {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  read: {
    parameters: ["i32", "buffer", "usize"],
    result: "isize",
    nonblocking: true,
  },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
});

/** Makes a device, which is there as long as this process. @returns Its descriptor. */
function makeDevice(name: string): number {
  const path = new TextEncoder().encode("/dev/net/tun\0");
  const device = libc.symbols.open(path, O_RDWR);
  const request = new Uint8Array(REQUEST_SIZE);
  new TextEncoder().encodeInto(name, request);
  new DataView(request.buffer).setUint16(NAME_SIZE, IFF_TUN_NO_PI, true);
  if (device >= 0 && libc.symbols.ioctl(device, TUNSETIFF, request) === 0) {
    return device;
  }
  throw new Error(`Cannot make the network device "${name}"`);
}

let cut = false;

/** Carries packets one way, in their order. */
async function carry(from: number, to: number, delay: number, loss: number) {
  const buffer = new Uint8Array(PACKET_SIZE);
  for (;;) {
    const count = await libc.symbols.read(from, buffer, BigInt(PACKET_SIZE));
    if (count < 0n) continue; // the device is down
    const packet = buffer.slice(0, Number(count));
    if (cut) print("lost\n");
    else if (Math.random() >= loss) {
      // A device that is down, or full, loses it.
      setTimeout(() => libc.symbols.write(to, packet, count), delay);
    }
  }
}

const [here = "", there = "", delay, percent] = Deno.args;
const one = makeDevice(here);
const other = makeDevice(there);
const loss = Number(percent) / 100;
carry(one, other, Number(delay), loss);
carry(other, one, Number(delay), loss);
print("ready\n");
for await (const piece of Deno.stdin.readable) {
  const words = new TextDecoder().decode(piece).trim().split("\n");
  for (const word of words) cut = word === "cut";
}
Deno.exit();
