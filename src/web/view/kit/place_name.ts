/**
 * What places are called.
 *
 * @module
 */

/** A room's place as people say it: `chat.example`, `192.0.2.7:8080`. @param place An origin. */
export function placeName(place: string): string {
  return URL.parse(place)?.host || place;
}
