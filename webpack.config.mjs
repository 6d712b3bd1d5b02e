import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import TerserPlugin from 'terser-webpack-plugin';
import webpack from 'webpack';

const root = import.meta.dirname;

/** assets.json: the plain name of a file -> the name with its hash. The server reads it; nothing else has to know hashes. */
class AssetList {
  apply(compiler) {
    compiler.hooks.thisCompilation.tap('AssetList', (compilation) => {
      compilation.hooks.processAssets.tap({ name: 'AssetList', stage: webpack.Compilation.PROCESS_ASSETS_STAGE_REPORT }, (assets) => {
        const names = Object.keys(assets).filter((name) => !/\.(map|br|gz)$/.test(name));
        const list = Object.fromEntries(names.map((name) => [name.replace(/\.[0-9a-f]{12}(?=\.)/, ''), name]));
        compilation.emitAsset('assets.json', new webpack.sources.RawSource(JSON.stringify(list, null, 2)));
      });
    });
  }
}

/** Beside each file what a browser is sent instead, so that a service without a compressing proxy costs no more: `.br` and `.gz`. */
class Compressed {
  apply(compiler) {
    const [brotli, zip] = [promisify(brotliCompress), promisify(gzip)];
    compiler.hooks.thisCompilation.tap('Compressed', (compilation) => {
      compilation.hooks.processAssets.tapPromise({ name: 'Compressed', stage: webpack.Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_TRANSFER }, async (assets) => {
        await Promise.all(Object.keys(assets).filter((name) => /\.(js|css)$/.test(name)).map(async (name) => {
          const bytes = Buffer.from(compilation.getAsset(name).source.source());
          const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
          const small = await Promise.all([brotli(bytes, { params }), zip(bytes, { level: 9 })]);
          for (const [at, ending] of ['br', 'gz'].entries()) compilation.emitAsset(`${name}.${ending}`, new webpack.sources.RawSource(small[at]));
        }));
      });
    });
  }
}

export default (_env, { mode = 'production' }) => ({
  mode,
  target: ['web', 'es2022'],
  devtool: 'hidden-source-map',
  entry: { loader: './client/loader.ts', shell: './client/embeddedHost/shell.ts', 'user-panel': './client/userPanel.ts', 'admin-panel': './client/adminPanel.ts' },
  experiments: { outputModule: true },
  output: {
    path: resolve(root, 'dist/client'),
    filename: ({ chunk }) => (chunk.name === 'loader' ? 'loader.js' : '[name].[contenthash:12].js'),
    chunkFilename: '[name].[contenthash:12].js',
    module: true,
    library: { type: 'module' },
    publicPath: 'auto',
    clean: true,
  },
  resolve: {
    extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    // Parts of axios that a page which sends JSON over XMLHttpRequest never runs: 5 kB less for every user.
    alias: Object.fromEntries(['adapters/fetch.js', 'helpers/HttpStatusCode.js', 'helpers/toFormData.js', 'helpers/toURLEncodedForm.js', 'helpers/formDataToJSON.js', 'cancel/CancelToken.js', 'helpers/progressEventReducer.js', 'helpers/AxiosURLSearchParams.js', 'helpers/spread.js'].map((file) => [resolve(root, 'node_modules/axios/lib', file), false])),
  },
  module: {
    rules: [
      { test: /\.tsx?$/, loader: 'swc-loader', options: { jsc: { target: 'es2022', parser: { syntax: 'typescript', tsx: true }, transform: { react: { runtime: 'automatic' } } } } },
      { test: /(section|panels)\.css$/, type: 'asset/source' },
      { test: /shell\.css$/, type: 'asset/resource', generator: { filename: '[name].[contenthash:12][ext]' } },
    ],
  },
  optimization: {
    splitChunks: false,
    minimizer: [new TerserPlugin({ minify: TerserPlugin.swcMinify, extractComments: false, terserOptions: { format: { comments: false } } })],
  },
  performance: { hints: false },
  // Who runs `npm start` reads the address that it prints, not a list of modules.
  stats: 'errors-warnings',
  plugins: [new AssetList(), ...(mode === 'production' ? [new Compressed()] : [])],
});
