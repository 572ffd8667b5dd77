// SPDX-License-Identifier: LGPL-2.1-or-later
// German: the name in Cockpit's menu, and words to find it by. Cockpit 287 takes them from po.de.js.
cockpit.locale({
  "": {
    "language": "de"
  },
  "Memory": [null, "Arbeitsspeicher"],
  "memory": [null, "speicher"],
  "movable": [null, "beweglich"],
  "node": [null, "knoten"]
});
