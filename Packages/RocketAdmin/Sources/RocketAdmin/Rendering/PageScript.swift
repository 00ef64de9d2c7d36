/// The script of the pages: asks for the part that changes each second while the page is seen, and
/// changes only what differs, so that the focus, the scrolling and a selection stay. Without it the page
/// shows what was true when it was loaded.
enum PageScript {
    static let text: HTML = """
        "use strict";
        (() => {
          const live = document.getElementById("live");
          const button = document.getElementById("pause");
          const time = document.getElementById("time");
          const state = document.querySelector("header .name .t");
          let paused = false, timer = 0, running = false;
          const patch = (old, now) => {
            if (old.nodeType !== now.nodeType || old.nodeName !== now.nodeName) {
              old.replaceWith(now.cloneNode(true));
              return;
            }
            if (old.nodeType === Node.TEXT_NODE) {
              if (old.data !== now.data) old.data = now.data;
              return;
            }
            if (old.attributes) {
              for (const name of old.getAttributeNames())
                if (!now.hasAttribute(name)) old.removeAttribute(name);
              for (const name of now.getAttributeNames())
                if (old.getAttribute(name) !== now.getAttribute(name))
                  old.setAttribute(name, now.getAttribute(name));
            }
            const before = [...old.childNodes], after = [...now.childNodes];
            after.forEach((node, index) => {
              if (index < before.length) patch(before[index], node);
              else old.append(node.cloneNode(true));
            });
            before.slice(after.length).forEach(node => node.remove());
          };
          const address = () => {
            const url = new URL(location.href);
            url.searchParams.set("live", "1");
            return url;
          };
          const update = async () => {
            if (running) return;
            running = true;
            try {
              const answer = await fetch(address(), {
                cache: "no-store", signal: AbortSignal.timeout(5000)});
              if (!answer.ok) throw new Error(answer.status);
              const page = new DOMParser().parseFromString(await answer.text(), "text/html");
              if (paused) return;
              patch(live, page.getElementById("live"));
              patch(state, page.querySelector(".state .t"));
              patch(time.firstChild, page.querySelector(".time time"));
              document.body.classList.remove("lost");
            } catch {
              document.body.classList.add("lost");
            } finally {
              running = false;
            }
          };
          const schedule = () => {
            clearInterval(timer);
            if (!paused && !document.hidden) timer = setInterval(update, 1000);
          };
          button.hidden = false;
          button.addEventListener("click", () => {
            paused = !paused;
            button.setAttribute("aria-pressed", paused);
            button.textContent = paused ? "Go on" : "Pause";
            document.body.classList.toggle("paused", paused);
            schedule();
            if (!paused) update();
          });
          document.addEventListener("visibilitychange", () => {
            schedule();
            if (!paused && !document.hidden) update();
          });
          schedule();
        })();
        """
}
