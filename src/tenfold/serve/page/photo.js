// Pictures from elsewhere: chosen, shot, pasted or dropped. Large ones are made smaller before they travel.

import { blank, encoded } from "./file.js";

const MOST_SIDE = 2400; // pixels; digits of a page remain well readable
const MOST_BYTES = 8e6; // of a file that is sent as it is
const PLAIN = ["image/png", "image/jpeg", "image/webp", "image/avif", "image/gif", "image/bmp"];

/** Call `take(file)` whenever a picture is handed in, by any of the four ways. */
export function listen(take) {
  const byId = (id) => document.getElementById(id), paper = byId("paper");
  for (const [button, input] of [["choose", "file"], ["shoot", "camera"]]) {
    byId(button).addEventListener("click", () => byId(input).click());
    byId(input).addEventListener("change", (event) => {
      if (event.target.files.length) take(event.target.files[0]);
      event.target.value = ""; // so that the same file can be chosen again
    });
  }
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((f) => f.type.startsWith("image/"));
    if (file) { event.preventDefault(); take(file); }
  });
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => { if (hasFiles(event)) { event.preventDefault(); paper.classList.add("over"); } });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) paper.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    paper.classList.remove("over");
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}

/** A photo turned a quarter clockwise, as a file. */
export function turned(photo) {
  const context = blank(photo.height, photo.width);
  context.translate(photo.height, 0);
  context.rotate(Math.PI / 2);
  context.drawImage(photo, 0, 0);
  return encoded(context); // as PNG, so that turning loses nothing
}

/** A file as {photo: ImageBitmap, picture: Blob to send, scale: its pixels for one of the photo}. Throws if it is no picture. */
export async function opened(file) {
  const photo = await createImageBitmap(file); // turned as EXIF says
  const scale = Math.min(1, MOST_SIDE / Math.max(photo.width, photo.height));
  if (scale === 1 && file.size <= MOST_BYTES && PLAIN.includes(file.type)) return { photo, picture: file, scale };
  const context = blank(photo.width * scale, photo.height * scale); // white shows through what is transparent
  context.drawImage(photo, 0, 0, context.canvas.width, context.canvas.height);
  return { photo, picture: encoded(context, "image/jpeg", 0.92), scale };
}
