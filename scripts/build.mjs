// Placeholder until the bundles exist.
