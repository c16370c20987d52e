// The connection to the program, made anew when it is lost.

const UNKNOWN = 401; // answered to whoever does not know the program's token

/** Below the page's own address, wherever a proxy shows it. */
function address() {
  const url = new URL("live", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** Whether the program is there, but has another token than the one that this page came with. */
async function isRefused() {
  try {
    const answer = await fetch(document.baseURI, { method: "HEAD", cache: "no-store" });
    return answer.status === UNKNOWN;
  } catch {
    return false;
  }
}

export function connect(hear, lost) {
  let socket = null;
  let wait = 500;

  function open() {
    socket = new WebSocket(address());
    socket.addEventListener("message", (event) => {
      wait = 500;
      hear(JSON.parse(event.data));
    });
    socket.addEventListener("close", async (event) => {
      lost(event.code, await isRefused());
      setTimeout(open, wait);
      wait = Math.min(2 * wait, 5000);
    });
  }

  open();
  return {
    tell(message) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
  };
}
