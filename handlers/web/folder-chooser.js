// What stands below a field for a folder: the browser of folders, and what indexing the folder would mean. Loaded when it is needed.
import { folderBrowser } from "./folder-browser.js";
import { folderPreview } from "./folder-preview.js";

/** `onOpen(path, byUser)` and `onChoose(path)` as in `folderBrowser`, `onModel(name)` as in `folderPreview`. */
export function folderChooser({ onOpen, onChoose, onModel, signal }) {
  const preview = folderPreview({ onModel, signal });
  const browser = folderBrowser({
    signal,
    onOpen: (path, byUser) => {
      preview.look(path);
      onOpen(path, byUser);
    },
    onChoose: (path) => {
      onChoose(path);
      preview.look(path);
    },
  });
  return { browser, preview };
}
