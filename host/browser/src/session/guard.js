// Put into every page before its own scripts: what goes round a proxy, or outlives a page, is not there. A page that
// wants it is stopped by a dialog, which is a reason to stop the payment.
(() => {
  const stop = what => { alert(`Platinum: the page wanted ${what}, which a payment has no use for`); throw new Error(what) }
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebTransport', 'SharedWorker'])
    Object.defineProperty(window, name, { value: function () { stop(name) }, writable: false, configurable: false })
  // On the object too: there Playwright puts one that does nothing.
  const workers = navigator.serviceWorker
  for (const place of workers ? [workers, Object.getPrototypeOf(workers)] : [])
    Object.defineProperty(place, 'register', { value: () => stop('a service worker'), writable: false, configurable: false })
})()
