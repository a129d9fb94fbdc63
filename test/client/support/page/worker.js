// Keeps whatever the page is made of, and answers with it; what goes to the service is none of its business.
self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', (event) => {
  if (!new URL(event.request.url).pathname.startsWith('/v1/')) event.respondWith(kept(event.request));
});

async function kept(request) {
  const cache = await caches.open('page');
  const found = await cache.match(request);
  if (found) return found;
  const response = await fetch(request);
  await cache.put(request, response.clone());
  return response;
}
