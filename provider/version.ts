/** The version of the plugin. A bundle cannot read package.json, so a test compares this version with it. */
export const version = "0.1.0";
