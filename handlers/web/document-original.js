// The original of a document, where a browser can show it: a PDF, a picture, or a web page in a sandbox.
import { originalUrl } from "./passage-address.js";
import { h } from "./dom.js";

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"]);

/** "pdf", "picture", "page", or null where the rendered text is all that can be shown. */
export function originalKind(doc) {
  if (doc.container_id) return null; // it has no file of its own
  if (doc.mime === "application/pdf") return "pdf";
  if (PICTURES.has(doc.mime)) return "picture";
  return doc.mime === "text/html" ? "page" : null;
}

/** {node, show(passage)} for the pane beside the text. It loads when it is first seen. */
export function originalPane(collectionId, doc, signal, { onOutline, onError }) {
  const kind = originalKind(doc);
  const address = originalUrl(collectionId, doc);
  const node = h("div", { class: `original original-${kind}` });
  let pdf = null;

  function fail(error) {
    if (signal.aborted) return;
    node.replaceChildren();
    onError(new Error(`The original cannot be shown: ${error.message} Its text is here, and the file can be saved.`));
  }

  async function openPage() {
    try {
      const { showPage } = await import("./original-page.js");
      await showPage(node, address, doc, signal);
    } catch (error) {
      fail(error);
    }
  }

  async function openPdf() {
    try {
      const { PdfView } = await import("./pdf-view.js");
      if (signal.aborted) return;
      pdf = new PdfView(address, signal, { onOutline });
      node.append(pdf.node);
      if (wanted) pdf.show(wanted);
      await pdf.open();
    } catch (error) {
      fail(error);
    }
  }

  const open = () => {
    if (kind === "pdf") {
      openPdf();
    } else if (kind === "picture") {
      const picture = h("img", { src: address, alt: `The picture ${doc.name}` });
      picture.addEventListener("error", () => onError(new Error("The picture cannot be shown. Its text is here, and the file can be saved.")));
      node.append(h("div", { class: "picture", tabindex: "0", role: "region", "aria-label": "The original picture" }, picture));
    } else {
      openPage();
    }
  };
  let wanted = null;
  const seen = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    seen.disconnect();
    open();
  });
  seen.observe(node);
  signal.addEventListener("abort", () => seen.disconnect());
  return {
    node,
    show(passage) {
      wanted = passage;
      pdf?.show(passage);
    },
    goTo: (page) => pdf?.goTo(page),
  };
}
