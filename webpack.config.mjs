import { resolve } from 'node:path';
import TerserPlugin from 'terser-webpack-plugin';
import webpack from 'webpack';

const root = import.meta.dirname;

/** assets.json: the plain name of a file -> the name with its hash. The server reads it; nothing else has to know hashes. */
class AssetList {
  apply(compiler) {
    compiler.hooks.thisCompilation.tap('AssetList', (compilation) => {
      compilation.hooks.processAssets.tap({ name: 'AssetList', stage: webpack.Compilation.PROCESS_ASSETS_STAGE_REPORT }, (assets) => {
        const names = Object.keys(assets).filter((name) => !name.endsWith('.map'));
        const list = Object.fromEntries(names.map((name) => [name.replace(/\.[0-9a-f]{12}(?=\.)/, ''), name]));
        compilation.emitAsset('assets.json', new webpack.sources.RawSource(JSON.stringify(list, null, 2)));
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
  plugins: [new AssetList()],
});
