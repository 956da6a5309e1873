/**
 * What a person can set.
 *
 * @module
 */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import {
  PAGE_SETTINGS,
  type PageSetting,
  type PageSettingKey,
  type PageSettings,
} from "../../settings.ts";
import { errorWords } from "../kit/error_words.ts";
import { TextField } from "../kit/text_field.tsx";
import { askForNotifications, notificationState } from "../page_surface.ts";
import type { PanelProps } from "./panel_props.ts";

/** A group of choices for each setting. */
export function SettingsPanel({ settings }: PanelProps): JSX.Element {
  return (
    <>
      {PAGE_SETTINGS.map((setting: PageSetting & { key: PageSettingKey }) => (
        <section key={setting.key} class="panel-section">
          {setting.choices
            ? <Choices setting={setting} settings={settings} />
            : <Words setting={setting} settings={settings} />}
          {setting.key === "notify" && <Permission settings={settings} />}
          {setting.key === "preview" && (
            <p class="panel-hint">
              Your system keeps what a notification says. Of sealed rooms and
              private messages it says who wrote, unless you choose Always.
            </p>
          )}
        </section>
      ))}
    </>
  );
}

/** A setting, and where it is kept. */
interface SettingProps {
  readonly setting: PageSetting & { readonly key: PageSettingKey };
  readonly settings: PageSettings;
}

function Choices({ setting, settings }: SettingProps): JSX.Element {
  const { key, help, choices = [] } = setting;
  return (
    <fieldset class="panel-choices">
      <legend>{help}</legend>
      {choices.map(([value, label]) => (
        <label key={value}>
          <input
            type="radio"
            name={key}
            checked={settings.get(key) === value}
            onChange={() => settings.set(key, value)}
          />
          <span>{label}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Words({ setting, settings }: SettingProps): JSX.Element {
  const { key, help } = setting;
  const text = useSignal(settings.get(key));
  const error = useSignal("");
  const keep = (value: string) => {
    text.value = value;
    try {
      settings.set(key, value);
      error.value = "";
    } catch (reason) {
      error.value = errorWords(reason);
    }
  };
  return (
    <TextField
      label={help}
      value={text.value}
      onValue={keep}
      error={error.value}
      hint="With commas between them, such as: lunch, deploy"
    />
  );
}

/** Whether the browser lets the page notify; it is asked on a click alone. */
function Permission(
  { settings }: { readonly settings: PageSettings },
): JSX.Element | null {
  const state = useSignal(notificationState());
  if (settings.get("notify") === "off") return null;
  if (state.value === "granted") return null;
  if (state.value === "default") {
    return (
      <p class="panel-copy">
        <button
          type="button"
          class="button"
          onClick={async () => state.value = await askForNotifications()}
        >
          Allow notifications
        </button>{" "}
        <span class="panel-hint">Your browser asks you.</span>
      </p>
    );
  }
  return (
    <p class="panel-hint">
      {state.value === "denied"
        ? "This browser does not let the page notify: change that in its settings for this page."
        : "This browser has no notifications. The page's title shows what is unread."}
    </p>
  );
}
