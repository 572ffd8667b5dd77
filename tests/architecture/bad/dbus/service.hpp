// What the samples include.
#pragma once
