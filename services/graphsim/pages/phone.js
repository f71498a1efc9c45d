// A customer's phone: polls what was said with one number, and sends. Names and texts only ever become text.
(function () {
  'use strict';

  var words = document.body.dataset;
  var form = document.getElementById('phone');
  var numbers = null; // not known yet
  var shown = ''; // what the page shows now, to leave it alone while nothing changes

  function element(id) { return document.getElementById(id); }

  function ask(path, body) {
    var options = body ? { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {};
    return fetch(path, options).then(function (response) {
      return response.json().then(function (answer) {
        if (!response.ok) throw new Error(answer.error);
        return answer;
      });
    });
  }

  function complain(text) {
    element('trouble').textContent = text;
    element('trouble').hidden = !text;
  }

  function showNumbers(found) {
    if (JSON.stringify(found) === JSON.stringify(numbers)) return;
    var chosen = form.number.value;
    numbers = found;
    form.number.replaceChildren.apply(form.number, found.map(function (n) {
      return new Option(n.verifiedName + ' · ' + n.displayPhoneNumber, n.phoneNumberId);
    }));
    if (found.some(function (n) { return n.phoneNumberId === chosen; })) form.number.value = chosen;
    element('none').hidden = found.length > 0;
    form.hidden = found.length === 0;
    showKinds();
  }

  // Only a number on the Business app can write from it.
  function showKinds() {
    var app = (numbers || []).some(function (n) { return n.phoneNumberId === form.number.value && n.coexistence; });
    element('as').hidden = !app;
    if (!app) form.kind.value = 'message';
  }

  function bubble(m) {
    var item = document.createElement('li');
    item.dataset.by = m.by;
    item.dataset.id = m.id;
    item.textContent = m.type === 'text' ? m.text : '[' + m.type + '] ' + (m.text || '');
    var note = document.createElement('small');
    var time = new Date(m.time).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });
    note.textContent = m.by === 'app' ? time + ' · ' + words.app : time;
    item.append(note);
    return item;
  }

  function showTalk(found) {
    var now = JSON.stringify(found);
    if (now === shown) return;
    shown = now;
    var talk = element('talk');
    talk.replaceChildren.apply(talk, found.map(bubble));
    talk.scrollTop = talk.scrollHeight;
    element('empty').hidden = found.length > 0;
  }

  function poll() {
    return ask('/_sim/numbers').then(function (found) {
      showNumbers(found);
      if (!form.number.value) return [];
      return ask('/_sim/messages?' + new URLSearchParams({ phoneNumberId: form.number.value, customer: form.from.value }));
    }).then(showTalk);
  }

  function keepPolling() {
    poll().then(function () {
      if (element('trouble').textContent === words.notReached) complain('');
    }, function () { complain(words.notReached); }).then(function () { setTimeout(keepPolling, 1000); });
  }

  form.addEventListener('submit', function (event) {
    event.preventDefault();
    var text = form.text.value;
    form.text.value = '';
    ask('/_sim/messages', {
      phoneNumberId: form.number.value, kind: form.kind.value, from: form.from.value, name: form.name.value, text: text,
    }).then(function (answer) {
      complain(answer.delivered ? '' : words.notDelivered + ' ' + (answer.reason || answer.status));
      return poll();
    }).catch(function (error) { complain(error.message); });
  });
  form.number.addEventListener('change', function () { showKinds(); poll(); });
  form.from.addEventListener('change', poll);

  keepPolling();
})();
