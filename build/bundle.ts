import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { build, type Plugin } from 'esbuild';
import { functionModules, root } from './collect.ts';

const functionsPlugin: Plugin = {
  name: 'functions',
  setup(pluginBuild) {
    pluginBuild.onResolve({ filter: /^virtual:functions$/ }, () => ({ path: 'functions', namespace: 'virtual' }));
    pluginBuild.onLoad({ filter: /.*/, namespace: 'virtual' }, () => {
      const modules = functionModules();
      const imports = modules.map((path, i) => `import * as m${i} from ${JSON.stringify(`./${path}`)};`);
      const all = modules.map((_, i) => `...Object.values(m${i})`).join(', ');
      const contents = `${imports.join('\n')}\nexport const functions = [${all}].filter((f) => typeof f.handler === 'function');`;
      return { contents, resolveDir: root, loader: 'ts' };
    });
  },
};

/** pg-format finds its list of reserved words by __dirname, which a bundle does not have. */
const pgFormatPlugin: Plugin = {
  name: 'pg-format',
  setup(pluginBuild) {
    pluginBuild.onLoad({ filter: /pg-format\/lib\/index\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text.replace("require(__dirname + '/reserved.js')", "require('./reserved.js')");
      if (contents === text) throw new Error('pg-format no longer loads its reserved words the way the bundle expects');
      return { contents, loader: 'js' };
    });
  },
};

export interface Bundle {
  /** First 16 hex digits of the SHA-256 of the code: the name under which a session knows what it has loaded. */
  readonly build: string;
  readonly source: string;
}

const PLACEHOLDER = '0000000000000000';

export const bundle = async (): Promise<Bundle> => {
  const result = await build({
    entryPoints: [`${root}src/runtime.ts`],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['import'],
    minifySyntax: true,
    minifyWhitespace: true,
    charset: 'ascii',
    // plv8 quotes the line that failed in the CONTEXT of an error.
    lineLimit: 80,
    legalComments: 'none',
    define: { TESSERA_BUILD: JSON.stringify(PLACEHOLDER), Buffer: 'Uint8Array' },
    footer: { js: 'globalThis.tessera;' },
    plugins: [functionsPlugin, pgFormatPlugin],
  });
  const draft = result.outputFiles[0]?.text ?? '';
  if (draft.includes('$tessera_runtime$') || draft.includes('@extschema'))
    throw new Error('the bundle contains text that the extension script would change');
  const name = createHash('sha256').update(draft).digest('hex').slice(0, 16);
  return { build: name, source: draft.replaceAll(PLACEHOLDER, name) };
};

/** The `tessera` command as one file; nothing has to be installed beside it. */
export const bundleCommand = async (): Promise<string> => {
  const result = await build({
    entryPoints: [`${root}src/cli/main.ts`],
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    external: ['pg-native'],
    legalComments: 'none',
    // Packages in the older module format call require() of Node's own modules.
    banner: {
      js: `#!/usr/bin/env node\nimport { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`,
    },
  });
  return result.outputFiles[0]?.text ?? '';
};
