// The last page of the dialog: posts what it has to say to the page that opened it, and closes.
(function () {
  'use strict';

  var said = JSON.parse(document.body.dataset.posts);
  var started = false;

  function post() {
    var next = said.posts.shift();
    if (window.opener) window.opener.postMessage(next.data, next.to);
  }

  function go() {
    if (said.posts.length === 0) {
      window.close();
      var closed = document.querySelector('[data-do=closed]');
      if (closed) closed.hidden = false; // a window that no script opened stays
      return;
    }
    post();
    setTimeout(go, said.posts.length ? said.delayMs : 0);
  }

  function start() {
    if (started) return;
    started = true;
    go();
  }

  var finish = document.querySelector('[data-do=finish]');
  if (finish) finish.addEventListener('click', start);

  // Closing the window counts as finishing: what is not said yet is said at once.
  window.addEventListener('pagehide', function () {
    started = true;
    while (said.posts.length) post();
  });

  setTimeout(start, said.afterMs);
})();
