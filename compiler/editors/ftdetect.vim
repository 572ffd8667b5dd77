" SPDX-License-Identifier: LGPL-2.1-or-later
autocmd BufNewFile,BufRead *.mempolicy setfiletype mempolicy
