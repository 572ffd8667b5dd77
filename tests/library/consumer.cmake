# SPDX-License-Identifier: LGPL-2.1-or-later
# What another project writes to use the library.
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(memonline 0.1 REQUIRED)
add_executable(consumer consumer.cpp)
target_compile_features(consumer PRIVATE cxx_std_17)
target_link_libraries(consumer PRIVATE memonline::memonline)
