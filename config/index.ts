/**
 * Settings of every process, described once. Only entry points call `loadConfig`; other code is handed values.
 *
 * @example
 * const config = loadConfig('server', process.env);
 * config.PORT; // 4000
 */
export { configurationPage, envExample } from './describe-settings.js';
export { runEntryPoint } from './entry-point.js';
export { type Config, ConfigError, isLoopback, loadConfig } from './load-config.js';
export { SETTINGS, type Setting, type SettingReader } from './settings.js';
