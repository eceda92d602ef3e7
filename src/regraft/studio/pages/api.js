// Requests to the server this page came from.

export class Refused extends Error {}

async function answered(response) {
  if (response.status === 204) return null;
  const type = response.headers.get("content-type") ?? "";
  const body = type.includes("json") ? await response.json() : null;
  if (!response.ok) throw new Refused(body?.error ?? `the server answered ${response.status}`);
  return body;
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options, headers: { "X-Regraft": "1", ...options.headers } });
  } catch {
    throw new Refused("the studio cannot be reached; is it still running?");
  }
  return answered(response);
}

export const get = (path) => request(path);
export const remove = (path) => request(path, { method: "DELETE" });
export const post = (path, body = {}) =>
  request(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

/** Send a file as it is, telling how far it is. */
export function send(path, file, onprogress = () => {}) {
  return new Promise((done, failed) => {
    const sending = new XMLHttpRequest();
    sending.open("POST", path);
    sending.setRequestHeader("X-Regraft", "1");
    sending.setRequestHeader("Content-Type", "application/octet-stream");
    sending.upload.onprogress = (event) => event.lengthComputable && onprogress(event.loaded / event.total);
    sending.onerror = () => failed(new Refused("the upload broke off; the file may be too large, or the studio was stopped"));
    sending.onload = () => {
      let body = null;
      try { body = JSON.parse(sending.responseText); } catch { /* not JSON */ }
      if (sending.status < 300) done(body);
      else failed(new Refused(body?.error ?? `the server answered ${sending.status}`));
    };
    sending.send(file);
  });
}
