/**
 * The heading of a view that has taken another's place.
 *
 * @module
 */

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** What a heading is made of. */
export interface HeadingProps {
  /** Whether the keyboard starts here, so that a screen reader reads it; else at a field. */
  readonly takesFocus?: boolean;
  /** Its words. */
  readonly children: ComponentChildren;
}

/** The one main heading of what is shown. */
export function Heading({ takesFocus, children }: HeadingProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    if (takesFocus) heading.current?.focus();
  }, [takesFocus]);
  return (
    <h1 class="start-title" ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
