// The connection to the program, made anew when it is lost.

export function connect(hear, lost) {
  let socket = null;
  let wait = 500;

  function open() {
    socket = new WebSocket(`ws://${location.host}/live`);
    socket.addEventListener("message", (event) => {
      wait = 500;
      hear(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      lost(event.code);
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
