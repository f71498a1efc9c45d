// What a page meets of Meta's JavaScript SDK when it runs Embedded Signup: FB.init and FB.login. Messages in quotes are
// those of Meta's own SDK.
(function () {
  'use strict';

  if (window.FB) return;

  var meta = new URL(document.currentScript.src).origin;
  var app = null; // what FB.init was given

  function init(options) {
    options = options || {};
    if (!/^v\d+\.\d{1,2}$/.test(options.version || '')) throw new Error('init not called with valid version');
    if (app) console.warn('FB.init has already been called - this could indicate a problem');
    app = { id: String(options.appId || ''), version: options.version };
  }

  function secure() {
    var host = location.hostname;
    return location.protocol === 'https:' || host === 'localhost' || host === '[::1]' ||
      /\.localhost$/.test(host) || /^127(\.\d+){3}$/.test(host);
  }

  function login(callback, options) {
    if (callback && Object.prototype.toString.call(callback) === '[object AsyncFunction]') {
      throw new Error('Expression is of type asyncfunction, not function');
    }
    if (callback && typeof callback !== 'function') {
      throw new Error('Expression is of type ' + typeof callback + ', not function');
    }
    if (!app || !app.id) {
      console.error('FB.login() called before FB.init().');
      return;
    }
    if (!secure()) {
      console.error('The method FB.login can no longer be called from http pages. ' +
        'https://developers.facebook.com/blog/post/2018/06/08/enforce-https-facebook-login/');
      return;
    }
    open(callback || function () {}, options || {});
  }

  function dialogURL(id, options) {
    var query = {
      client_id: app.id, display: 'popup', sdk: 'joey', version: app.version, cb: id, origin: location.origin,
    };
    Object.keys(options).forEach(function (name) {
      var value = options[name];
      if (value === undefined || value === null) return;
      query[name] = typeof value === 'object' ? JSON.stringify(value) : String(value);
    });
    // Without the override the SDK asks for what it always asks for.
    if (query.override_default_response_type !== 'true' || !query.response_type) {
      query.response_type = 'token,signed_request,graph_domain';
    }
    return meta + '/' + app.version + '/dialog/oauth?' + new URLSearchParams(query);
  }

  function open(callback, options) {
    var id = 'f' + crypto.getRandomValues(new Uint32Array(2)).join('');
    var width = 600, height = 679;
    var left = Math.max(0, Math.round(screenX + (outerWidth - width) / 2));
    var top = Math.max(0, Math.round(screenY + (outerHeight - height) / 2.5));
    var popup = window.open(dialogURL(id, options), id,
      'width=' + width + ',height=' + height + ',left=' + left + ',top=' + top + ',scrollbars=1');
    // Of a popup that is blocked, the callback never hears.
    if (popup) listen(popup, id, callback);
  }

  // listen waits for the popup's answer, or for its end.
  function listen(popup, id, callback) {
    var watch;

    function answer(authResponse) {
      clearInterval(watch);
      removeEventListener('message', hear);
      callback({ authResponse: authResponse, status: authResponse ? 'connected' : 'unknown' });
    }

    function hear(event) {
      if (event.origin !== meta || event.source !== popup || typeof event.data !== 'string') return;
      var said = new URLSearchParams(event.data);
      if (said.get('cb') !== id) return;
      var code = said.get('code');
      answer(code ? { userID: null, expiresIn: null, code: code } : null);
    }

    addEventListener('message', hear);
    watch = setInterval(function () {
      if (!popup.closed) return;
      clearInterval(watch);
      watch = setTimeout(function () { answer(null); }, 300); // what it said at the end may still be on its way
    }, 100);
  }

  window.FB = { init: init, login: login };

  setTimeout(function () {
    var ready = window.fbAsyncInit;
    if (typeof ready === 'function' && !ready.hasRun) {
      ready.hasRun = true;
      ready();
    }
  }, 0);
})();
