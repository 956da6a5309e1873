/**
 * What is drawn again only if it looks otherwise.
 *
 * @module
 */

import {
  Component,
  type ComponentChildren,
  type FunctionComponent,
  h,
} from "preact";

/** A component that is drawn again only when one of its properties is another, or a signal that it reads changes. */
export function memo<P extends object>(
  Shown: FunctionComponent<P>,
): new () => Component<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const now = this.props as Readonly<Record<string, unknown>>;
      return Object.entries(next).some(([key, value]) => now[key] !== value);
    }

    override render(): ComponentChildren {
      return h(Shown, this.props as P);
    }
  };
}
