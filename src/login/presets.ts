/** What is known of large providers' OAuth, so that nobody has to type it. Pure. */

export interface Preset {
  readonly tokenUrl: string;
  /** For a refresh; null: what was granted. */
  readonly scope: string | null;
  /** Where the client itself is the grant; null: the provider has no such thing. */
  readonly clientScope: string | null;
}

export const presets = {
  google: { tokenUrl: 'https://oauth2.googleapis.com/token', scope: null, clientScope: null },
  // `common` serves all tenants; the client's own credentials need the tenant's own URL (--oauth-token-url).
  microsoft: {
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    scope: 'https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access',
    clientScope: 'https://outlook.office365.com/.default',
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;

export const isPresetName = (name: string): name is PresetName => Object.hasOwn(presets, name);
