/** What an operator puts into the web server in front of Group-Office, so that the service is a path of the same host. */
export function proxyLines(basePath: string, serviceUrl: string): { readonly nginx: string; readonly apache: string } {
  return {
    nginx: `# nginx: inside the server { } block of Group-Office
location ^~ ${basePath}/ {
    proxy_pass ${serviceUrl};
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
}
`,
    apache: `# Apache: inside the <VirtualHost> of Group-Office (mod_proxy_http, mod_headers)
ProxyPreserveHost On
RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}
ProxyPass        ${basePath}/ ${serviceUrl}${basePath}/
ProxyPassReverse ${basePath}/ ${serviceUrl}${basePath}/
`,
  };
}
