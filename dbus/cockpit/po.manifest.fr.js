// SPDX-License-Identifier: LGPL-2.1-or-later
// French: the name in Cockpit's menu, and words to find it by. Cockpit 287 takes them from po.fr.js.
cockpit.locale({
  "": {
    "language": "fr"
  },
  "Memory": [null, "Mémoire"],
  "memory": [null, "mémoire"],
  "movable": [null, "déplaçable"],
  "node": [null, "nœud"]
});
