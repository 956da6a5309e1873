/**
 * Pictures of files that are pictures: decoded, drawn, and encoded anew, so that what the page shows was
 * made by the page.
 *
 * @module
 */

import type { Picture } from "../stage.ts";
import { pictureKind } from "./picture_kind.ts";

/** The largest file that is decoded, bytes, and the most pixels: 200 MB while it is decoded. */
const MAX_FILE = 32_000_000;
const MAX_PIXELS = 50_000_000;
/** How much is read of a file to know what it is, bytes: a JPEG may have a preview before its own size. */
const HEAD_SIZE = 262_144;
/** The box into which pictures are drawn, pixels: for 320 × 240 on a screen of twice the density. */
const BOX = { width: 640, height: 480 };
/** The box of a picture that somebody looks at large, pixels; a screenshot of a long page fits into it. */
const LARGE_BOX = { width: 2_560, height: 5_120 };
const QUALITY = 0.85;

/**
 * The picture of a file, to be shown small or large; undefined for one that is no picture, too large, or can't be
 * decoded.
 */
export async function drawPicture(
  file: Blob,
  isLarge: boolean,
): Promise<Picture | undefined> {
  if (file.size > MAX_FILE) return undefined;
  try {
    const head = await file.slice(0, HEAD_SIZE).arrayBuffer();
    const kind = pictureKind(new Uint8Array(head));
    if (!kind || kind.width * kind.height > MAX_PIXELS) return undefined;
    const isPhoto = kind.type === "image/jpeg";
    const whole = new Blob([file], { type: kind.type });
    const drawn = await draw(whole, isPhoto, isLarge ? LARGE_BOX : BOX);
    return drawn && { ...drawn, url: URL.createObjectURL(drawn.blob) };
  } catch {
    return undefined; // it is no picture after all, or was changed or removed since it was chosen
  }
}

async function draw(picture: Blob, isPhoto: boolean, box: typeof BOX) {
  const bitmap = await createImageBitmap(picture);
  try {
    const { width, height } = bitmap;
    const scale = Math.min(1, box.width / width, box.height / height);
    const size = {
      width: Math.max(1, Math.round(width * scale)),
      height: Math.max(1, Math.round(height * scale)),
    };
    const canvas = new OffscreenCanvas(size.width, size.height);
    const context = canvas.getContext("2d");
    if (!context) return undefined;
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, size.width, size.height);
    const type = isPhoto ? "image/jpeg" : "image/png";
    const blob = await canvas.convertToBlob({ type, quality: QUALITY });
    return { ...size, blob };
  } finally {
    bitmap.close();
  }
}
